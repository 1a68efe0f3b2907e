"""The logs screen's parts: the buffer of lines, how a line is drawn, the scrolling view."""
