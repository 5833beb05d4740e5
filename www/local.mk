# www/ - what nginx serves.

nobase_dist_pkgdata_DATA += www/index.html
