"""Events as AWS's services hand them to functions: made for triggers, and as samples to try a function with. Pure."""
