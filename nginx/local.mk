# nginx/ - templates that `outlook-addinctl render` fills.

nobase_dist_pkgdata_DATA += nginx/nginx.conf.in
