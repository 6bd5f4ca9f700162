/* SPDX-License-Identifier: Apache-2.0 */
/* The file of access keys: reading it, finding a key, changing it by rename. */
#include "server/keys.h"

#include <sodium/randombytes.h>
#include <sodium/utils.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define ID_RANDOM_CHARS     20 /* 119 bits */
#define SECRET_RANDOM_CHARS 30 /* 178 bits */
#define LINE_WORDS          3
#define LOCK_TRIES          100

static const char id_marks[] = "-_.@";
static const char *const role_names[] = {
	[IPL_ACCESS_ADMIN] = "admin",
	[IPL_ACCESS_OPERATOR] = "operator",
	[IPL_ACCESS_AUDITOR] = "auditor",
};
static const char first_lines[] = "# Access keys: ACCESS_KEY_ID SECRET ROLE (admin, operator, "
				  "auditor). For its owner only.\n";

struct ipl_keys {
	struct ipl_access_key *key; /* in the order of ids */
	size_t count;
	size_t cap;
};

/* The bytes of a file, wiped when given back. */
struct text {
	char *at;
	size_t len;
	size_t cap;
};

const char *ipl_role_name(enum ipl_access role)
{
	return role_names[role];
}

bool ipl_role_of(struct ipl_str name, enum ipl_access *out)
{
	for (size_t i = 0; i < IPL_ARRAY_SIZE(role_names); i++) {
		if (ipl_str_is(name, role_names[i])) {
			*out = (enum ipl_access)i;
			return true;
		}
	}
	return false;
}

/* --- keys in memory --- */

struct ipl_keys *ipl_keys_none(void)
{
	return calloc(1, sizeof(struct ipl_keys));
}

void ipl_keys_free(struct ipl_keys *keys)
{
	if (keys == NULL)
		return;
	if (keys->key != NULL)
		sodium_memzero(keys->key, keys->cap * sizeof(*keys->key));
	free(keys->key);
	free(keys);
}

static int compare_ids(struct ipl_str a, const char *b)
{
	size_t len = strlen(b);
	int order = memcmp(a.at, b, a.len < len ? a.len : len);

	return order != 0 ? order : (a.len > len) - (a.len < len);
}

/* Where @id is, or belongs. */
static size_t place_of(const struct ipl_keys *keys, struct ipl_str id, bool *found)
{
	size_t low = 0, high = keys->count;

	*found = false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compare_ids(id, keys->key[middle].id);
		if (order == 0) {
			*found = true;
			return middle;
		}
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

const struct ipl_access_key *ipl_keys_find(const struct ipl_keys *keys, struct ipl_str id)
{
	bool found;
	size_t place;

	if (id.len == 0)
		return NULL;
	place = place_of(keys, id, &found);
	return found ? &keys->key[place] : NULL;
}

size_t ipl_keys_count(const struct ipl_keys *keys)
{
	return keys->count;
}

const struct ipl_access_key *ipl_keys_at(const struct ipl_keys *keys, size_t index)
{
	return &keys->key[index];
}

/* Not realloc(), which would leave secrets in the old place. */
static bool make_room(struct ipl_keys *keys)
{
	size_t cap = keys->cap == 0 ? 16 : keys->cap * 2;
	struct ipl_access_key *grown;

	if (keys->count < keys->cap)
		return true;
	grown = calloc(cap, sizeof(*grown));
	if (grown == NULL)
		return false;
	if (keys->count > 0)
		memcpy(grown, keys->key, keys->count * sizeof(*grown));
	if (keys->key != NULL)
		sodium_memzero(keys->key, keys->cap * sizeof(*keys->key));
	free(keys->key);
	keys->key = grown;
	keys->cap = cap;
	return true;
}

/* --- the file's lines --- */

bool ipl_key_id_is_valid(struct ipl_str id)
{
	for (size_t i = 0; i < id.len; i++) {
		char c = id.at[i];
		if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
		      memchr(id_marks, c, sizeof(id_marks) - 1) != NULL))
			return false;
	}
	return id.len > 0 && id.len <= IPL_KEY_ID_MAX;
}

static bool is_secret(struct ipl_str word)
{
	for (size_t i = 0; i < word.len; i++) {
		if (word.at[i] <= ' ' || word.at[i] > '~')
			return false;
	}
	return word.len > 0 && word.len <= IPL_KEY_SECRET_MAX;
}

/* The words of a line up to a comment; more than LINE_WORDS are counted as one more. */
static size_t split(struct ipl_str line, struct ipl_str word[LINE_WORDS])
{
	size_t count = 0;

	for (size_t i = 0; i < line.len;) {
		size_t start = i;
		if (line.at[i] == ' ' || line.at[i] == '\t' || line.at[i] == '\r') {
			i++;
			continue;
		}
		if (line.at[i] == '#')
			break;
		while (i < line.len && line.at[i] != ' ' && line.at[i] != '\t' &&
		       line.at[i] != '\r')
			i++;
		if (count == LINE_WORDS)
			return count + 1;
		word[count++] = (struct ipl_str){ line.at + start, i - start };
	}
	return count;
}

static bool next_line(const struct text *text, size_t *at, struct ipl_str *line)
{
	const char *start = text->at + *at, *end;

	if (*at >= text->len)
		return false;
	end = memchr(start, '\n', text->len - *at);
	line->at = start;
	line->len = end == NULL ? text->len - *at : (size_t)(end - start);
	*at += line->len + (end != NULL);
	return true;
}

/* What is said of a line names no word of it: the words may stand in a wrong order. */
static enum ipl_status take_line(struct ipl_keys *keys, struct ipl_str line, const char *path,
				 size_t number, struct ipl_error *err)
{
	struct ipl_str word[LINE_WORDS];
	size_t count = split(line, word), place;
	enum ipl_access role;
	struct ipl_access_key *key;
	bool found;

	if (count == 0)
		return IPL_OK;
	if (count != LINE_WORDS || !ipl_key_id_is_valid(word[0]) || !is_secret(word[1]))
		return ipl_error_set(err, IPL_ERR_IO,
				     "%s:%zu: a line is ACCESS_KEY_ID SECRET ROLE: the id of "
				     "letters, digits and -_.@, up to %u, the secret up to %u",
				     path, number, IPL_KEY_ID_MAX, IPL_KEY_SECRET_MAX);
	if (!ipl_role_of(word[2], &role))
		return ipl_error_set(err, IPL_ERR_IO,
				     "%s:%zu: the role is admin, operator or auditor", path,
				     number);
	place = place_of(keys, word[0], &found);
	if (found)
		return ipl_error_set(err, IPL_ERR_IO, "%s:%zu: key %s stands there twice", path,
				     number, keys->key[place].id);
	if (keys->count == IPL_KEYS_MAX)
		return ipl_error_set(err, IPL_ERR_IO, "%s:%zu: more than %u keys", path, number,
				     IPL_KEYS_MAX);
	if (!make_room(keys))
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for keys");
	key = &keys->key[place];
	memmove(key + 1, key, (keys->count - place) * sizeof(*key));
	*key = (struct ipl_access_key){ .role = role };
	memcpy(key->id, word[0].at, word[0].len);
	memcpy(key->secret, word[1].at, word[1].len);
	keys->count++;
	return IPL_OK;
}

static enum ipl_status take_lines(const struct text *text, const char *path, struct ipl_keys **out,
				  struct ipl_error *err)
{
	struct ipl_keys *keys = ipl_keys_none();
	enum ipl_status st = IPL_OK;
	struct ipl_str line;
	size_t at = 0;

	if (keys == NULL)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for keys");
	for (size_t number = 1; st == IPL_OK && next_line(text, &at, &line); number++)
		st = take_line(keys, line, path, number, err);
	if (st == IPL_OK)
		*out = keys;
	else
		ipl_keys_free(keys);
	return st;
}

/* --- the file --- */

static void text_release(struct text *text)
{
	if (text->at != NULL)
		sodium_memzero(text->at, text->cap);
	free(text->at);
	*text = (struct text){ 0 };
}

static enum ipl_status read_text(int fd, const char *path, struct text *out, struct ipl_error *err)
{
	struct text text = { .cap = IPL_KEYS_FILE_BYTES_MAX + 1 };
	ssize_t n = 1;

	text.at = malloc(text.cap);
	if (text.at == NULL)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for keys");
	while (n > 0 && text.len <= IPL_KEYS_FILE_BYTES_MAX) {
		n = read(fd, text.at + text.len, IPL_KEYS_FILE_BYTES_MAX + 1 - text.len);
		if (n > 0)
			text.len += (size_t)n;
	}
	if (n >= 0 && text.len <= IPL_KEYS_FILE_BYTES_MAX) {
		*out = text;
		return IPL_OK;
	}
	text_release(&text);
	if (n < 0)
		return ipl_error_set(err, IPL_ERR_IO, "%s: %s", path, strerror(errno));
	return ipl_error_set(err, IPL_ERR_IO, "%s is longer than %zu bytes", path,
			     IPL_KEYS_FILE_BYTES_MAX);
}

/* Whoever can read a secret can be its owner, and whoever can write can let anybody in. */
static enum ipl_status check_file(int fd, const char *path, struct ipl_error *err)
{
	struct stat file;

	if (fstat(fd, &file) != 0)
		return ipl_error_set(err, IPL_ERR_IO, "%s: %s", path, strerror(errno));
	if (!S_ISREG(file.st_mode))
		return ipl_error_set(err, IPL_ERR_IO, "%s is no file", path);
	if (file.st_uid != geteuid() && file.st_uid != 0)
		return ipl_error_set(err, IPL_ERR_IO,
				     "%s belongs to user %lu: the keys must be those of the user "
				     "who serves (%lu) or of root: chown %lu %s",
				     path, (unsigned long)file.st_uid, (unsigned long)geteuid(),
				     (unsigned long)geteuid(), path);
	if ((file.st_mode & 0177) != 0)
		return ipl_error_set(err, IPL_ERR_IO,
				     "%s has mode %04o: keys are for their owner only: chmod 0600 "
				     "%s, and think of its secrets as known",
				     path, (unsigned)(file.st_mode & 07777), path);
	return IPL_OK;
}

enum ipl_status ipl_keys_load(const char *path, struct ipl_keys **out, struct ipl_error *err)
{
	/* Not blocking, so that a FIFO is seen and refused instead of waited for. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct text text = { 0 };
	enum ipl_status st;

	if (fd < 0)
		return ipl_error_set(err, errno == ENOENT ? IPL_ERR_END : IPL_ERR_IO, "%s: %s",
				     path, strerror(errno));
	st = check_file(fd, path, err);
	if (st == IPL_OK)
		st = read_text(fd, path, &text, err);
	if (st == IPL_OK)
		st = take_lines(&text, path, out, err);
	text_release(&text);
	close(fd);
	return st;
}

/* --- changing it --- */

/* The file, locked, and still the one that the path names. Made empty where @make. */
static enum ipl_status open_locked(const char *path, bool make, int *out, struct ipl_error *err)
{
	for (int i = 0; i < LOCK_TRIES; i++) {
		struct stat mine, there;
		int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | (make ? O_CREAT : 0), 0600);
		if (fd < 0)
			return ipl_error_set(err, errno == ENOENT ? IPL_ERR_END : IPL_ERR_IO,
					     "%s: %s", path, strerror(errno));
		if (flock(fd, LOCK_EX) == 0 && fstat(fd, &mine) == 0 && stat(path, &there) == 0 &&
		    mine.st_ino == there.st_ino && mine.st_dev == there.st_dev) {
			*out = fd;
			return IPL_OK;
		}
		close(fd); /* it was replaced meanwhile */
	}
	return ipl_error_set(err, IPL_ERR_BUSY, "%s is changed by others all the time", path);
}

static bool write_all(int fd, const char *at, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, at, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		at += n;
		len -= (size_t)n;
	}
	return true;
}

static bool sync_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[4096] = ".";
	int fd;
	bool done;

	if (slash != NULL)
		(void)snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path) + 1, path);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	done = fd >= 0 && fsync(fd) == 0;
	if (fd >= 0)
		close(fd);
	return done;
}

/* Only who holds the lock comes here, so what is left of a crash may be overwritten. */
static enum ipl_status replace(const char *path, const struct text *text, struct ipl_error *err)
{
	char beside[4096];
	int len = snprintf(beside, sizeof(beside), "%s.new", path), fd;
	bool done;

	if (len < 0 || (size_t)len >= sizeof(beside))
		return ipl_error_set(err, IPL_ERR_IO, "%s: the path is too long", path);
	fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	done = fd >= 0 && fchmod(fd, 0600) == 0 && write_all(fd, text->at, text->len) &&
	       fsync(fd) == 0 && rename(beside, path) == 0 && sync_folder(path);
	if (!done)
		ipl_error_set(err, IPL_ERR_IO, "%s: %s", beside, strerror(errno));
	if (fd >= 0)
		close(fd);
	if (!done)
		(void)unlink(beside);
	return done ? IPL_OK : IPL_ERR_IO;
}

static void text_add(struct text *text, const char *bytes, size_t len)
{
	memcpy(text->at + text->len, bytes, len);
	text->len += len;
}

/* Append @key's line; what stood there stays as it was. */
static enum ipl_status add_line(const char *path, const struct text *old,
				const struct ipl_access_key *key, struct ipl_error *err)
{
	char line[IPL_KEY_ID_MAX + IPL_KEY_SECRET_MAX + 32];
	struct text text = { .cap = old->len + sizeof(first_lines) + sizeof(line) + 1 };
	int len = snprintf(line, sizeof(line), "%s %s %s\n", key->id, key->secret,
			   ipl_role_name(key->role));
	enum ipl_status st;

	text.at = malloc(text.cap);
	if (text.at == NULL)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for keys");
	text_add(&text, old->at, old->len);
	if (old->len == 0)
		text_add(&text, first_lines, sizeof(first_lines) - 1);
	if (text.at[text.len - 1] != '\n')
		text_add(&text, "\n", 1);
	text_add(&text, line, (size_t)len);
	sodium_memzero(line, sizeof(line));
	st = replace(path, &text, err);
	text_release(&text);
	return st;
}

/* All lines but the one of @id. */
static enum ipl_status remove_line(const char *path, const struct text *old, struct ipl_str id,
				   struct ipl_error *err)
{
	struct text text = { .at = malloc(old->len + 1), .cap = old->len + 1 };
	struct ipl_str line, word[LINE_WORDS];
	size_t at = 0, start = 0;
	enum ipl_status st;

	if (text.at == NULL)
		return ipl_error_set(err, IPL_ERR_NOMEM, "out of memory for keys");
	for (; next_line(old, &at, &line); start = at) {
		if (split(line, word) != LINE_WORDS || !ipl_str_equal(word[0], id))
			text_add(&text, old->at + start, at - start);
	}
	st = replace(path, &text, err);
	text_release(&text);
	return st;
}

/* Add @key, or (NULL) remove @id. */
static enum ipl_status change(const char *path, const struct ipl_access_key *key, struct ipl_str id,
			      struct ipl_error *err)
{
	struct ipl_keys *keys = NULL;
	struct text text = { 0 };
	int fd = -1;
	enum ipl_status st = open_locked(path, key != NULL, &fd, err);

	if (st != IPL_OK)
		return st;
	st = check_file(fd, path, err);
	if (st == IPL_OK)
		st = read_text(fd, path, &text, err);
	if (st == IPL_OK)
		st = take_lines(&text, path, &keys, err);
	if (st == IPL_OK && (ipl_keys_find(keys, id) != NULL) == (key != NULL))
		st = ipl_refuse(err,
				key != NULL ? IPL_CODE_INVALID_PARAMETER : IPL_CODE_KEY_NOT_FOUND,
				key != NULL ? "%s has a key %.*s already" : "%s has no key %.*s",
				path, IPL_STR_ARG(id));
	if (st == IPL_OK && key != NULL && keys->count == IPL_KEYS_MAX)
		st = ipl_refuse(err, IPL_CODE_INVALID_PARAMETER,
				"%s has %u keys, the most there "
				"may be",
				path, IPL_KEYS_MAX);
	if (st == IPL_OK)
		st = key != NULL ? add_line(path, &text, key, err) :
				   remove_line(path, &text, id, err);
	ipl_keys_free(keys);
	text_release(&text);
	close(fd);
	return st;
}

enum ipl_status ipl_keys_add(const char *path, const struct ipl_access_key *key,
			     struct ipl_error *err)
{
	return change(path, key, ipl_str_of(key->id), err);
}

enum ipl_status ipl_keys_remove(const char *path, struct ipl_str id, struct ipl_error *err)
{
	return change(path, NULL, id, err);
}

/* --- new keys --- */

static void random_text(char *out, size_t len)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

	for (size_t i = 0; i < len; i++)
		out[i] = letters[randombytes_uniform(sizeof(letters) - 1)];
	out[len] = '\0';
}

void ipl_key_generate(enum ipl_access role, struct ipl_access_key *out)
{
	*out = (struct ipl_access_key){ .id = "LTAI", .role = role };
	random_text(out->id + 4, ID_RANDOM_CHARS);
	random_text(out->secret, SECRET_RANDOM_CHARS);
}

void ipl_key_wipe(struct ipl_access_key *key)
{
	sodium_memzero(key, sizeof(*key));
}
