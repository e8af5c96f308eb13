"""What several tests need: a client of the running emulator, an inbox for callbacks, pictures, a third cloud."""
