"""The samples under traffic: what `lambdalog demo` does."""
