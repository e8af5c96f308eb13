echo "the emulator answers at $EMULATOR_URL, and is not ready before this is done"
