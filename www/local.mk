# www/ - what nginx serves.
