/* ctl/render_tree.h - puts the rendered files in place, all or nothing. */
#ifndef CTL_RENDER_TREE_H
#define CTL_RENDER_TREE_H

#include <sys/types.h>

#include "base/err.h"
#include "site.h"

/* What is to stand in the folder afterwards. */
struct render_tree {
	const char *folder;
	const struct site *site; /* what is served */
	const char *nginx_conf;
	uid_t uid; /* who runs nginx; (uid_t)-1: whoever calls us */
	gid_t gid;
	mode_t tmp_mode; /* of the folder that nginx writes in */
};

/*
 * Makes folder/nginx.conf, folder/www/ and folder/tmp/. Everything is written
 * aside first and then put in place by rename; what an earlier render left and
 * is no longer made is removed. A folder whose nginx.conf or www were not made
 * by us is refused (ERR_CONFIG).
 */
int render_tree(const struct render_tree *tree, struct err *e);

#endif
