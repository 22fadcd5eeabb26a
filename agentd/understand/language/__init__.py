"""One folder for each language: words.toml, and sentences in Home Assistant's format."""
