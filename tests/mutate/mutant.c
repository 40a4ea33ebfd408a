// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which mistake is made (switch.pl): in a module its parameter "mutant" says
 * so, in user space the environment. `mutate` appends this to each module.
 */
#ifdef __KERNEL__
#include <linux/moduleparam.h>
#include <linux/printk.h>

unsigned int vdb_mutant_now;
module_param_named(mutant, vdb_mutant_now, uint, 0444);

/* Where nothing is wrong, tell what could have been. */
void vdb_mutant_reached(unsigned int k)
{
	static bool reached[65536];

	if (!reached[k])
		printk(KERN_DEBUG "reached mutant %u\n", k);
	reached[k] = true;
}
#else
#include <stdlib.h>

unsigned int vdb_mutant_now;

__attribute__((constructor)) static void choose(void)
{
	const char *k = getenv("MUTANT");

	vdb_mutant_now = k ? atoi(k) : 0;
}

void vdb_mutant_reached(unsigned int k)
{
}
#endif
