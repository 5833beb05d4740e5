/* ctl/render.c - outlook-addinctl render: the folder that nginx runs from. */
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "ctl.h"
#include "render_nginx.h"
#include "render_site.h"
#include "render_tree.h"

enum { TEMPLATE_MAX = 256 << 10, RENDERED_MAX = 1 << 20 };

#define RUN_USER "outlook-addin" /* as of outlook-addin-fcgi */

/* Who will run nginx's workers: when root renders, the user of the other
 * programs, so that they reach each other's sockets. name NULL: the default,
 * which need not exist. */
static int
choose_user(const char *name, struct render_tree *tree, const char **user,
    const char **group, struct err *e)
{
	const struct passwd *pw = NULL;
	const struct group *gr = NULL;

	tree->uid = (uid_t)-1;
	tree->gid = (gid_t)-1;
	tree->tmp_mode = 0700;
	*user = "";
	*group = "";
	if (geteuid() != 0)
		return name == NULL
		    ? 0
		    : err_set(e, ERR_CONFIG, "only root can name a user");
	pw = getpwnam(name == NULL ? RUN_USER : name);
	if (pw != NULL)
		gr = getgrgid(pw->pw_gid);
	if ((pw == NULL || gr == NULL) && name != NULL)
		return err_set(e, ERR_CONFIG, "there is no user %s", name);
	if (pw == NULL || gr == NULL) {
		/* As outlook-addin-fcgi: started by root it stays root. Or
		 * anybody may be told to run nginx here. */
		tree->tmp_mode = 01777;
		*user = *group = "root";
		ctl_say("there is no user " RUN_USER
			": nginx and outlook-addin-fcgi will run as root; "
			"better make that user");
		return 0;
	}
	tree->uid = pw->pw_uid;
	tree->gid = pw->pw_gid;
	*user = pw->pw_name;
	*group = gr->gr_name;
	ctl_say("nginx.conf names the user %s, group %s", *user, *group);
	return 0;
}

/* root's nginx loads what nginx.conf says, modules too. */
static void
warn_about_owner(const char *folder)
{
	struct stat st;

	if (geteuid() == 0 && stat(folder, &st) == 0 &&
	    (st.st_uid != 0 || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0))
		ctl_say("%s can be changed by others than root: do not run "
			"nginx from it as root",
		    folder);
}

/* nginx.conf for the site with that stamp. */
static int
make_conf(const struct config *c, const char *user, const char *group,
    const char *stamp, struct buf *conf, struct err *e)
{
	char path[PATH_MAX];
	char *template = NULL;
	size_t len;
	int rc;

	snprintf(path, sizeof(path), "%s/nginx/nginx.conf.in", ctl_datadir());
	if (file_read(path, TEMPLATE_MAX, &template, &len, e) != 0)
		return -1;
	rc = render_nginx(c, template, user, group, stamp, conf, e);
	free(template);
	return rc;
}

static int
render(const struct config *c, const char *folder, const char *name)
{
	struct render_tree tree = {.folder = folder};
	char www[PATH_MAX], stamp[SITE_STAMP_SIZE];
	const char *user, *group;
	struct site site = {0};
	struct buf conf;
	struct err e = {0};
	int rc = -1;

	buf_init(&conf, RENDERED_MAX);
	snprintf(www, sizeof(www), "%s/www", ctl_datadir());
	if (choose_user(name, &tree, &user, &group, &e) != 0 ||
	    render_site(c, www, folder, &site, stamp, &e) != 0 ||
	    make_conf(c, user, group, stamp, &conf, &e) != 0)
		goto out;
	tree.site = &site;
	tree.nginx_conf = buf_text(&conf);
	rc = render_tree(&tree, &e);
	if (rc == 0)
		warn_about_owner(folder);
out:
	buf_clear(&conf);
	site_clear(&site);
	return rc == 0 ? CTL_DONE : ctl_fail("render", &e);
}

static int
run(struct ctl *ctl, int argc, char **argv)
{
	const char *folder = NULL, *user = NULL;
	const struct ctl_option opts[] = {
	    {"--out", &folder, NULL},
	    {"--user", &user, NULL},
	    {NULL, NULL, NULL},
	};
	struct config config;
	int code = CTL_DONE;

	if (ctl_parse(ctl, opts, argc, argv, NULL, 0, &code) < 0)
		return code;
	if (folder == NULL)
		return ctl_misuse(ctl, "render needs --out DIR");
	code = ctl_load(ctl, CONFIG_ROLE_RENDER, &config);
	if (code != CTL_DONE)
		return code;
	code = render(&config, folder, user);
	config_clear(&config);
	return code;
}

const struct ctl_command ctl_render = {
    .name = "render",
    .usage = "--out DIR [--user NAME]",
    .summary = "Writes nginx's configuration and the static files into a "
	       "folder",
    .run = run,
};
