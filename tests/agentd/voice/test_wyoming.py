"""The Wyoming door, spoken to by the library's own client functions and by vandals."""

from __future__ import annotations

import json
import os
import socket
import stat
import threading
from contextlib import suppress

import pytest
from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.error import Error
from wyoming.event import Event, read_event, write_event
from wyoming.info import Describe, Info
from wyoming.tts import Synthesize

from agentd.voice.errors import EarError, RecordingError
from agentd.voice.hear import hear
from agentd.voice.wyoming_door import WyomingDoor
from tests.agentd.voice.house import LAMP, both, split
from tests.agentd.voice.sound import silence, tone, wav
from tests.broker import wait_until


class Client:
    """Another program's Wyoming client."""

    def __init__(self, path) -> None:
        self.link = socket.socket(socket.AF_UNIX)
        self.link.settimeout(10)
        self.link.connect(str(path))
        self.file = self.link.makefile("rwb")

    def send(self, *events) -> None:
        for event in events:
            write_event(event if isinstance(event, Event) else event.event(), self.file)

    def send_sound(self, pcm: bytes, *, rate=16_000, width=2, channels=1) -> None:
        self.send(AudioStart(rate, width, channels))
        for at in range(0, len(pcm), 32_000):
            self.send(AudioChunk(rate, width, channels, pcm[at : at + 32_000]))
        self.send(AudioStop())

    def read(self) -> Event | None:
        return read_event(self.file)

    def close(self) -> None:
        with suppress(OSError):  # what it could not send is of no interest
            self.file.close()
        self.link.close()


@pytest.fixture
def connect():
    clients: list[Client] = []

    def make(house) -> Client:
        clients.append(Client(house.sock))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


def test_the_socket_is_for_our_own_user_alone(make_house):
    house = make_house()
    assert stat.S_IMODE(os.stat(house.sock).st_mode) == 0o600


def test_it_says_what_it_offers(make_house, connect):
    client = connect(make_house())
    client.send(Describe())
    info = Info.from_event(client.read())
    assert info.asr[0].models[0].name == "scripted"
    assert info.tts[0].voices[0].name == "espeak-ng"


@pytest.mark.parametrize(
    ("said", "text"),
    [
        (both(LAMP), LAMP),
        (split(LAMP, "my coffee went cold"), "my coffee went cold"),
        (both(""), ""),
    ],
    ids=["agreed", "not agreed: what was said", "silence"],
)
def test_a_stranger_gets_a_transcript_and_moves_nothing(make_house, connect, said, text):
    house = make_house(said)
    client = connect(house)
    client.send(Transcribe(language="en"))
    client.send_sound(tone(1.0))
    assert Transcript.from_event(client.read()).text == text
    client.send(Describe())
    assert Info.is_type(client.read().type)
    assert house.agentd.asked == []


def test_one_connection_takes_several_utterances(make_house, connect):
    client = connect(make_house(both(LAMP), both("stop")))
    for text in (LAMP, "stop", ""):
        client.send(Transcribe())
        client.send_sound(tone(0.5))
        assert Transcript.from_event(client.read()).text == text


@pytest.mark.parametrize(
    ("rate", "width", "channels"), [(44_100, 2, 2), (8_000, 1, 1), (48_000, 4, 1), (16_000, 3, 2)]
)
def test_sound_of_any_shape_is_taken(make_house, connect, rate, width, channels):
    client = connect(make_house(both(LAMP)))
    client.send(Transcribe())
    client.send_sound(bytes(rate * width * channels), rate=rate, width=width, channels=channels)
    assert Transcript.from_event(client.read()).text == LAMP


def test_text_is_spoken(make_house, connect):
    client = connect(make_house())
    client.send(Synthesize(text="hello"))
    events = [client.read() for _ in range(3)]
    assert [event.type for event in events] == ["audio-start", "audio-chunk", "audio-stop"]
    assert len(events[1].payload) == 5 * 320


def test_hear_goes_the_whole_way(make_house, tmp_path):
    house = make_house(both(LAMP))
    recording = tmp_path / "a.wav"
    recording.write_bytes(wav(tone(1.0, rate_hz=44_100), rate_hz=44_100))
    heard = hear(recording, house.sock, who="anna")
    assert (heard.text, heard.free_text, heard.is_agreed, heard.reply) == (
        LAMP,
        LAMP,
        True,
        "Desk lamp is on.",
    )
    assert heard.answer == house.agentd.answer
    assert (round(heard.audio_ms), heard.ms > 0) == (1000, True)
    (request,) = house.agentd.asked
    assert (request.origin.channel, request.origin.area) == ("voice", "study")
    assert request.origin.who.endswith("anna")


def test_hear_tells_why_nothing_was_done(make_house, tmp_path):
    house = make_house(split(LAMP, "my coffee went cold"))
    recording = tmp_path / "a.wav"
    recording.write_bytes(wav(tone(1.0)))
    heard = hear(recording, house.sock, area="garden")
    assert (heard.is_agreed, heard.was_asked, heard.answer) == (False, False, {})
    assert heard.reason.startswith("the second opinion differs")


def test_hear_without_a_model_says_what_to_type(make_house, tmp_path):
    house = make_house(is_deaf=True)
    house.pipeline.miss("fetch it: agentctl models pull vosk-small-en")
    (recording := tmp_path / "a.wav").write_bytes(wav(tone(1.0)))
    with pytest.raises(EarError, match="models pull vosk-small-en"):
        hear(recording, house.sock)


def test_hear_without_agentd_voice_says_so(tmp_path):
    (recording := tmp_path / "a.wav").write_bytes(wav(tone(1.0)))
    with pytest.raises(EarError, match="agentd-voice does not answer at"):
        hear(recording, tmp_path / "voice.sock")


def test_hear_reads_the_file_before_it_asks_anybody(tmp_path):
    with pytest.raises(RecordingError):
        hear(tmp_path / "missing.wav", tmp_path / "voice.sock")


AUDIO = {
    "ten minutes":     ((16_000, 2, 1), silence(600),  "the audio is longer than 60 s"),
    "no sound at all": ((16_000, 2, 1), b"",           "the audio holds no sound"),
    "half a sample":   ((16_000, 2, 1), b"\x00",       "the audio holds no sound"),
    "absurd rate":     ((1, 2, 1),      silence(1.0),  "1 samples a second are not 4000 to 384000"),
    "absurd width":    ((16_000, 9, 1), silence(1.0),  "samples of 72 bit are not read"),
    "no channels":     ((16_000, 2, 0), silence(1.0),  "0 channels are not 1 to 32"),
}  # fmt: skip


@pytest.mark.parametrize(("shape", "pcm", "problem"), AUDIO.values(), ids=AUDIO)
def test_audio_that_cannot_be_heard_is_refused_and_the_next_is_heard(
    make_house, connect, shape, pcm, problem
):
    client = connect(make_house(both(LAMP), both(LAMP)))
    rate, width, channels = shape
    client.send(Transcribe())
    client.send_sound(pcm, rate=rate, width=width, channels=channels)
    assert Error.from_event(client.read()).text == problem
    client.send(Transcribe())
    client.send_sound(tone(1.0))
    assert Transcript.from_event(client.read()).text == LAMP


GARBAGE = {
    "noise":              os.urandom(4096) + b"\n",
    "no JSON":            b"hello\n",
    "a list":             b"[]\n",
    "a number":           b"7\n",
    "no type":            b"{}\n",
    "a type of no text":  b'{"type": 7}\n',
    "data of no object":  b'{"type": "describe", "data": 7}\n',
    "a negative length":  b'{"type": "audio-chunk", "payload_length": -1}\n',
    "a length of words":  b'{"type": "audio-chunk", "payload_length": "many"}\n',
    "10 GB":              b'{"type": "audio-chunk", "payload_length": 10000000000}\n',
    "an endless line":    b'{"type": "' + b"a" * 300_000,
    "deep nesting":       b"[" * 60_000 + b"\n",
    "broken data":        b'{"type": "describe", "data_length": 5}\n{{{{{',
}  # fmt: skip


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE)
def test_garbage_ends_its_own_connection_alone(make_house, connect, garbage):
    house = make_house(both(LAMP))
    vandal, guest = connect(house), connect(house)
    try:
        vandal.link.sendall(garbage)
        answer = vandal.link.recv(4096)
    except OSError:
        answer = b""
    assert answer == b"" or json.loads(answer.splitlines()[0])["type"] == "error"
    guest.send(Transcribe())
    guest.send_sound(tone(1.0))
    assert Transcript.from_event(guest.read()).text == LAMP


def test_a_length_that_nobody_needs_is_refused_before_it_is_waited_for(make_house, connect):
    client = connect(make_house())
    client.link.sendall(b'{"type": "audio-chunk", "payload_length": 10000000000}\n')
    assert Error.from_event(client.read()).text == "an event holds at most 4194304 bytes"


def test_a_cut_event_is_the_end_of_its_connection_alone(make_house, connect):
    house = make_house(both(LAMP))
    cut = connect(house)
    cut.link.sendall(b'{"type": "audio-chunk", "payload_length": 100}\nabc')
    cut.close()
    guest = connect(house)
    guest.send(Describe())
    assert Info.is_type(guest.read().type)


def test_chunks_without_a_start_and_unknown_events_are_passed_over(make_house, connect):
    client = connect(make_house())
    client.send(AudioChunk(16_000, 2, 1, tone(0.1)), AudioStop(), Event("dance"), Describe())
    assert Info.is_type(client.read().type)


def test_too_many_clients_are_told_so_and_room_is_made_again(make_house, connect):
    house = make_house()
    guests = [connect(house) for _ in range(8)]
    for guest in guests:
        guest.send(Describe())
        guest.read()
    assert "8 clients" in Error.from_event(connect(house).read()).text
    guests[0].close()

    def is_served() -> bool:
        client = connect(house)
        try:
            client.send(Describe())
            return Info.is_type(client.read().type)
        except OSError:
            return False  # shown out

    wait_until(is_served)


def test_a_second_program_on_one_socket_is_refused(make_house):
    house = make_house()
    with pytest.raises(EarError, match="another agentd-voice listens"):
        WyomingDoor(house.sock, house.pipeline, house.speaker).start()


def test_a_socket_left_behind_by_a_dead_program_is_replaced(make_house, tmp_path):
    house = make_house()
    dead = house.sock.with_name("dead.sock")
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(dead))
    door = WyomingDoor(dead, house.pipeline, house.speaker)
    door.start()
    door.close()
    assert not dead.exists()


def test_many_clients_at_once_each_get_their_own_answer(make_house):
    house = make_house(*[both(LAMP)] * 6)
    texts: list[str] = []

    def talk() -> None:
        client = Client(house.sock)
        client.send(Transcribe())
        client.send_sound(tone(0.5))
        texts.append(Transcript.from_event(client.read()).text)
        client.close()

    threads = [threading.Thread(target=talk) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert texts == [LAMP] * 6
