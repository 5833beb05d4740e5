/* port/config_settle.h - what several keys together mean. */
#ifndef PORT_CONFIG_SETTLE_H
#define PORT_CONFIG_SETTLE_H

#include "port/config.h"
#include "port/config_report.h"

/*
 * Fills the derived fields of c (authority, addin_id, unblu_api_url, run_dir,
 * wake_path) and reports what does not go together. Every field is set.
 * Files that the configuration names must be fit for the roles.
 */
void config_settle(struct config *c, unsigned roles, struct config_report *r);

#endif
