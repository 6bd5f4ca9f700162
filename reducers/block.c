/* SPDX-License-Identifier: Apache-2.0 */
/* A bitmap with summaries: a set bit is an address that is not available, or a word full of them.
 */
#include "reducers/block.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Memory for all levels, in one piece; NULL without. */
static uint64_t *lay_levels(struct ipl_block *block)
{
	uint64_t bits = ipl_cidr4_size(block->cidr), total = 0;
	uint64_t *words;

	block->level_count = 0;
	do {
		block->words[block->level_count] = (bits + 63) / 64;
		bits = block->words[block->level_count++];
		total += bits;
	} while (bits > 1);
	words = calloc(total, sizeof(*words));
	for (uint32_t i = 0; words != NULL && i < block->level_count; i++) {
		block->level[i] = words;
		words += block->words[i];
	}
	return words;
}

struct ipl_block *ipl_block_new(struct ipl_cidr4 cidr, uint32_t first, uint32_t last)
{
	struct ipl_block *block = calloc(1, sizeof(*block));
	uint64_t size = ipl_cidr4_size(cidr);

	if (block == NULL)
		return NULL;
	block->cidr = cidr;
	block->free_count = size;
	if (lay_levels(block) == NULL) {
		free(block);
		return NULL;
	}
	for (uint64_t i = 0; i < first && i < size; i++)
		ipl_block_take(block, cidr.base + (uint32_t)i);
	for (uint64_t i = 0; i < last && i < size; i++)
		ipl_block_take(block, ipl_cidr4_last(cidr) - (uint32_t)i);
	return block;
}

struct ipl_block *ipl_block_copy(const struct ipl_block *block)
{
	struct ipl_block *copy = calloc(1, sizeof(*copy));

	if (copy == NULL)
		return NULL;
	copy->cidr = block->cidr;
	copy->free_count = block->free_count;
	copy->position = block->position;
	if (lay_levels(copy) == NULL) {
		free(copy);
		return NULL;
	}
	for (uint32_t i = 0; i < block->level_count; i++)
		memcpy(copy->level[i], block->level[i], block->words[i] * sizeof(uint64_t));
	return copy;
}

void ipl_block_free(struct ipl_block *block)
{
	if (block == NULL)
		return;
	free(block->level[0]);
	free(block);
}

static uint64_t offset_of(const struct ipl_block *block, uint32_t ip)
{
	assert(ipl_cidr4_contains(block->cidr, ip));
	return ip - block->cidr.base;
}

bool ipl_block_is_available(const struct ipl_block *block, uint32_t ip)
{
	uint64_t at = offset_of(block, ip);

	return (block->level[0][at / 64] >> (at % 64) & 1) == 0;
}

/* What a word looks like when nothing in it is available; the last one may be short. */
static uint64_t full_word(const struct ipl_block *block, uint32_t level, uint64_t word)
{
	uint64_t bits = level == 0 ? ipl_cidr4_size(block->cidr) : block->words[level - 1];
	uint64_t left = bits - word * 64;

	return left >= 64 ? UINT64_MAX : (UINT64_C(1) << left) - 1;
}

void ipl_block_take(struct ipl_block *block, uint32_t ip)
{
	uint64_t at = offset_of(block, ip);

	if (!ipl_block_is_available(block, ip))
		return;
	block->free_count--;
	for (uint32_t i = 0; i < block->level_count; i++, at /= 64) {
		uint64_t *word = &block->level[i][at / 64];
		*word |= UINT64_C(1) << (at % 64);
		if (*word != full_word(block, i, at / 64))
			break;
	}
}

void ipl_block_give(struct ipl_block *block, uint32_t ip)
{
	uint64_t at = offset_of(block, ip);

	if (ipl_block_is_available(block, ip))
		return;
	block->free_count++;
	for (uint32_t i = 0; i < block->level_count; i++, at /= 64)
		block->level[i][at / 64] &= ~(UINT64_C(1) << (at % 64));
}

void ipl_block_picked(struct ipl_block *block, uint32_t ip)
{
	block->position = (offset_of(block, ip) + 1) & (ipl_cidr4_size(block->cidr) - 1);
}

/* The first clear bit of @level at or after @at; false where there is none. */
static bool clear_bit(const struct ipl_block *block, uint32_t level, uint64_t at, uint64_t *found)
{
	uint64_t word = at / 64, clear;

	if (word >= block->words[level])
		return false;
	clear = ~block->level[level][word] & full_word(block, level, word) &
		(UINT64_MAX << (at % 64));
	if (clear == 0) {
		/* Above, a clear bit is a word here that has one: go up, then down again. */
		if (level + 1 == block->level_count ||
		    !clear_bit(block, level + 1, word + 1, &word))
			return false;
		clear = ~block->level[level][word] & full_word(block, level, word);
	}
	*found = word * 64 + (uint64_t)__builtin_ctzll(clear);
	return true;
}

bool ipl_block_next(const struct ipl_block *block, uint64_t from, uint32_t *ip)
{
	uint64_t found;

	if (block->free_count == 0)
		return false;
	if (!clear_bit(block, 0, from, &found) && !clear_bit(block, 0, 0, &found))
		return false;
	*ip = block->cidr.base + (uint32_t)found;
	return true;
}
