/* SPDX-License-Identifier: GPL-2.0-only */
/* What the engine needs of the kernel's header of this name. */
#ifndef PROVE_TYPES_H
#define PROVE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#endif
