"""Marked words go down every path, and come out nowhere."""
