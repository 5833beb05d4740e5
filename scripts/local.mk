# scripts/ - the two commands and what they call.
