"""What Kingsoft's operations do, once a call was validated."""
