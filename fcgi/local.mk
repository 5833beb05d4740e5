# fcgi/ - supervisor, web and sync: one program.

