/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded into a server that is measured: SHA-256 costs nothing, so that what is left is what
 * the ledger would be without its tree. All roots are zeros then. The program itself has no such
 * switch.
 */
#include <string.h>

int SHA256_Update(void *context, const void *bytes, size_t len);
int SHA256_Final(unsigned char *out, void *context);

int SHA256_Update(void *context, const void *bytes, size_t len)
{
	(void)context;
	(void)bytes;
	(void)len;
	return 1;
}

int SHA256_Final(unsigned char *out, void *context)
{
	(void)context;
	memset(out, 0, 32);
	return 1;
}
