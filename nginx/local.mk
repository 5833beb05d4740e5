# nginx/ - templates that `outlook-addinctl render` fills.
