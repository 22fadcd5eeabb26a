"""Every word of a phrase must belong to the device that it names."""

from __future__ import annotations

import pytest

from agentd.understand.naming import Directory
from agentd.understand.words import load_words
from llmagentos.home import Area, Device, Home

HOME = Home(
    devices=(
        Device("roof", "Roof Light", "light"),
        Device("fred", "Fred's Lamp", "light"),
        Device("counter", "Counter", "light", area="kitchen"),
        Device("cabinet", "Cabinet", "light", area="kitchen"),
        Device("guest_lamp", "Lamp", "light", area="guest_bedroom"),
        Device("well", "Well Pump Controller", "switch", area="garden"),
        Device("pool", "Pool Pump", "switch", area="garden"),
        Device("coffee", "Coffee Maker", "switch", area="kitchen", device_class="outlet"),
        Device("store", "Storage Room", "switch"),
        Device("opener", "Garage Door Opener", "cover", device_class="garage"),
        Device("blind_1", "Blind", "cover", area="kitchen", device_class="blind"),
        Device("blind_2", "Blind", "cover", area="bedroom", device_class="blind"),
        Device("thermostat", "Smart Thermostat", "climate", area="living"),
        Device("bed_1", "Bedroom 1 Light", "light", area="bedroom"),
        Device("kitchen_heat", "Kitchen Temperature", "sensor", area="kitchen",
               device_class="temperature"),
    ),
    areas=(Area("kitchen", "Kitchen"), Area("garden", "Garden"), Area("bedroom", "Bedroom"),
           Area("guest_bedroom", "Guest Bedroom"), Area("living", "Living Room")),
)  # fmt: skip


@pytest.fixture(scope="module")
def directory():
    return Directory(HOME, words=load_words("en"))


@pytest.mark.parametrize(
    ("phrase", "device"),
    [
        ("the light in the roof",        "roof"),
        ("Fred's light",                 "fred"),
        ("freds lamp",                   "fred"),
        ("the well pump",                "well"),
        ("the kitchen smart plug",       "coffee"),
        ("the garage door",              "opener"),
        ("the heating",                  "thermostat"),
        ("thermostat in the living room", "thermostat"),
        ("bedroom one light",            "bed_1"),
        ("the storage room lights",      "store"),
        ("the counter light please",     "counter"),
    ],
)  # fmt: skip
def test_phrase_names_one_device(directory, phrase, device):
    target = directory.find(phrase)

    assert target is not None
    assert target.devices == (device,)


@pytest.mark.parametrize(
    "phrase",
    [
        "the roof lights of the neighbours",
        "Bob's lamp",
        "the carport garage door",
        "the pump on the moon",
        "the kitchen",
        "well",
        "storage lamps upstairs",
        "roof light on",
        "on the roof light",
        "lamp and counter",
        "",
        "the",
        "please",
        "%%%",
    ],
)
def test_phrase_with_an_unexplained_word_names_nothing(directory, phrase):
    assert directory.find(phrase) is None


def test_area_and_kind_mean_all_lights_of_the_area(directory):
    target = directory.find("the kitchen light", kinds=frozenset({"light"}))

    assert target is not None
    assert set(target.devices) == {"counter", "cabinet"}
    assert target.is_group


def test_namesakes_are_ambiguous_where_nothing_tells_them_apart(directory):
    target = directory.find("the pump")

    assert target is not None
    assert set(target.devices) == {"well", "pool"}
    assert not target.is_group


def test_speakers_area_tells_namesakes_apart(directory):
    target = directory.find("the blind", area="bedroom")

    assert target is not None
    assert target.devices == ("blind_2",)


def test_device_of_another_kind_is_not_meant(directory):
    assert directory.find("the roof light", kinds=frozenset({"lock"})) is None


def test_exact_name_of_an_actuator_of_another_kind_is_not_bent_to_this_one():
    home = Home((Device("door", "Garage Door", "cover", device_class="garage"),
                 Device("side", "Garage Side Door", "lock")))  # fmt: skip
    directory = Directory(home, words=load_words("en"))

    assert directory.find("the garage door", kinds=frozenset({"lock"})) is None


def test_area_that_is_said_must_be_the_devices_own():
    areas = (Area("bedroom", "Bedroom"), Area("guest", "Guest Bedroom"))
    directory = Directory(
        Home((Device("lamp", "Lamp", "light", area="guest"),), areas), words=load_words("en")
    )

    assert directory.find("the bedroom lamp") is None
    assert directory.find("the guest bedroom lamp") is not None


def test_sensor_of_that_name_does_not_hide_what_can_act(directory):
    home = Home((Device("sensor", "Kitchen Temperature", "sensor", area="k"),
                 Device("climate", "Oven", "climate", area="k")), (Area("k", "Kitchen"),))  # fmt: skip
    target = Directory(home, words=load_words("en")).find(
        "kitchen temperature", kinds=frozenset({"climate"})
    )

    assert target is not None
    assert target.devices == ("climate",)


def test_place_alone_will_do_only_where_the_sentence_says_what(directory):
    kinds = frozenset({"climate"})

    assert directory.find("the living room", kinds=kinds) is None
    assert directory.find("the living room", kinds=kinds, may_be_place=True) is not None


def test_whole_name_in_a_sentence_is_found(directory):
    assert directory.mentioned("why did the well pump controller run") == ("well",)
    assert directory.mentioned("why is it dark") == ()
