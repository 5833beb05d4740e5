// @ts-check
/*
 * The story of scripts/demo with the installed package (see ./installed.js): node tests/package/demo.js
 * Node is for the simulators only; the package does not need it.
 */

import fs from 'node:fs';
import { leaveWith, play } from '../demo/play.js';
import { Booted, Installed } from './installed.js';

/* The test of sd_booted(3). */
leaveWith(play({ port: 0, kind: fs.existsSync('/run/systemd/system') ? Booted : Installed }));
