"""What both clouds stand on. Knows no cloud by name and no HTTP server."""
