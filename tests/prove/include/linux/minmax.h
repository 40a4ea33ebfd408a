/* SPDX-License-Identifier: GPL-2.0-only */
/* What the engine needs of the kernel's header of this name. */
#ifndef PROVE_MINMAX_H
#define PROVE_MINMAX_H

#define min(a, b) ((a) < (b) ? (a) : (b))
#define max(a, b) ((a) > (b) ? (a) : (b))

#endif
