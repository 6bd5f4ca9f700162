/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Access keys: who may come in at a TCP door, and as what. They are kept in a
 * text file of lines
 *
 *     ACCESS_KEY_ID SECRET ROLE      # ROLE is admin, operator or auditor
 *
 * parted by blanks or tabs; "#" starts a comment, at the beginning of a line or
 * after a blank; empty lines are nothing. The file is its owner's alone (mode
 * 0600 or 0400), and the owner is who reads it, or root.
 *
 * No message made here holds a secret, nor a word of a line that could be one.
 */
#ifndef IPL_SERVER_KEYS_H
#define IPL_SERVER_KEYS_H

#include "server/engine.h"

#define IPL_KEY_ID_MAX          120u /* so that "key:ID" is a principal */
#define IPL_KEY_SECRET_MAX      128u
#define IPL_KEYS_MAX            4096u
#define IPL_KEYS_FILE_BYTES_MAX ((size_t)2 << 20)

/** One key. Both texts are terminated and without blanks. */
struct ipl_access_key {
	char id[IPL_KEY_ID_MAX + 1];
	char secret[IPL_KEY_SECRET_MAX + 1];
	enum ipl_access role;
};

/** Keys, as one file had them; immutable. */
struct ipl_keys;

/** "admin", "operator", "auditor". */
const char *ipl_role_name(enum ipl_access role);
/** False where @name is none of them. */
bool ipl_role_of(struct ipl_str name, enum ipl_access *out);

/**
 * Read the file at @path.
 *
 * @retval IPL_ERR_IO   it cannot be read, others can read it, or a line is no key: the message
 *                      names file and line
 * @retval IPL_ERR_END  there is no such file
 */
enum ipl_status ipl_keys_load(const char *path, struct ipl_keys **out,
			      struct ipl_error *err) IPL_MUST_USE;
/** Keys of nobody. NULL without memory. */
struct ipl_keys *ipl_keys_none(void);
/** Wipes the secrets first. NULL is fine. */
void ipl_keys_free(struct ipl_keys *keys);

/** Whether @id looks like the id of a key: letters, digits and -_.@, 1 to IPL_KEY_ID_MAX. */
bool ipl_key_id_is_valid(struct ipl_str id);

/** The key @id; NULL where there is none. Good until ipl_keys_free(). */
const struct ipl_access_key *ipl_keys_find(const struct ipl_keys *keys, struct ipl_str id);
size_t ipl_keys_count(const struct ipl_keys *keys);
/** Key @index, in the order of ids. */
const struct ipl_access_key *ipl_keys_at(const struct ipl_keys *keys, size_t index);

/** A new key with a random id and secret. The caller wipes it with ipl_key_wipe(). */
void ipl_key_generate(enum ipl_access role, struct ipl_access_key *out);
void ipl_key_wipe(struct ipl_access_key *key);

/**
 * Write @key into the file at @path, which is made when missing. The file is replaced by rename,
 * so that who reads it sees the old one or the new one; comments stay. Blocks while another
 * process changes it.
 * @retval IPL_REFUSED  there is a key of that id
 */
enum ipl_status ipl_keys_add(const char *path, const struct ipl_access_key *key,
			     struct ipl_error *err) IPL_MUST_USE;
/**
 * Take the key @id out of the file, as ipl_keys_add().
 * @retval IPL_REFUSED  there is none of that id
 * @retval IPL_ERR_END  there is no such file
 */
enum ipl_status ipl_keys_remove(const char *path, struct ipl_str id,
				struct ipl_error *err) IPL_MUST_USE;

#endif
