"""The decorator and the logger."""
