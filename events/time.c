/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 3339 from and to milliseconds, by civil-date arithmetic of our own. */
#include "events/time.h"

#include <stdio.h>

#define MS_PER_DAY INT64_C(86400000)

struct civil {
	int64_t year;
	int month, day, hour, minute, second, ms;
};

/* Days from 1970-01-01 in the proleptic Gregorian calendar; years start in March here. */
static int64_t days_from_civil(int64_t year, int month, int day)
{
	int64_t y = year - (month <= 2);
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
	       day_of_year - 719468;
}

static struct civil civil_from_ms(int64_t time_ms)
{
	int64_t days = time_ms / MS_PER_DAY - (time_ms % MS_PER_DAY < 0);
	int64_t ms = time_ms - days * MS_PER_DAY;
	int64_t z = days + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;
	int month = (int)(mp < 10 ? mp + 3 : mp - 9);

	return (struct civil){
		.year = yoe + era * 400 + (month <= 2),
		.month = month,
		.day = (int)(doy - (153 * mp + 2) / 5 + 1),
		.hour = (int)(ms / 3600000),
		.minute = (int)(ms / 60000 % 60),
		.second = (int)(ms / 1000 % 60),
		.ms = (int)(ms % 1000),
	};
}

static int days_in_month(int64_t year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

struct scan {
	struct ipl_str text;
	size_t at;
	bool wrong;
};

static int take_number(struct scan *s, int digits)
{
	int n = 0;

	for (int i = 0; i < digits; i++, s->at++) {
		if (s->at >= s->text.len || s->text.at[s->at] < '0' || s->text.at[s->at] > '9') {
			s->wrong = true;
			return 0;
		}
		n = n * 10 + (s->text.at[s->at] - '0');
	}
	return n;
}

static char take_char(struct scan *s, const char *allowed)
{
	char c = s->at < s->text.len ? s->text.at[s->at] : '\0';

	for (const char *a = allowed; *a != '\0'; a++) {
		if (c == *a) {
			s->at++;
			return c;
		}
	}
	s->wrong = true;
	return '\0';
}

static int take_fraction(struct scan *s)
{
	int ms = 0, digits = 0;

	if (s->at >= s->text.len || s->text.at[s->at] != '.')
		return 0;
	s->at++;
	for (; s->at < s->text.len && s->text.at[s->at] >= '0' && s->text.at[s->at] <= '9';
	     s->at++, digits++) {
		if (digits < 3)
			ms = ms * 10 + (s->text.at[s->at] - '0');
	}
	for (int i = digits; i < 3; i++)
		ms *= 10;
	if (digits == 0)
		s->wrong = true;
	return ms;
}

/* Minutes east of UTC. */
static int take_offset(struct scan *s)
{
	char sign = take_char(s, "Zz+-");
	int hour, minute;

	if (sign != '+' && sign != '-')
		return 0;
	hour = take_number(s, 2);
	take_char(s, ":");
	minute = take_number(s, 2);
	if (hour > 23 || minute > 59)
		s->wrong = true;
	return sign == '+' ? hour * 60 + minute : -(hour * 60 + minute);
}

bool ipl_time_parse(struct ipl_str text, int64_t *out_ms)
{
	struct scan s = { .text = text };
	struct civil c;
	int64_t time_ms;
	int offset;

	c.year = take_number(&s, 4);
	take_char(&s, "-");
	c.month = take_number(&s, 2);
	take_char(&s, "-");
	c.day = take_number(&s, 2);
	take_char(&s, "Tt");
	c.hour = take_number(&s, 2);
	take_char(&s, ":");
	c.minute = take_number(&s, 2);
	take_char(&s, ":");
	c.second = take_number(&s, 2);
	c.ms = take_fraction(&s);
	offset = take_offset(&s);
	if (s.wrong || s.at != text.len || c.year < 1 || c.month < 1 || c.month > 12 || c.day < 1 ||
	    c.day > days_in_month(c.year, c.month) || c.hour > 23 || c.minute > 59 || c.second > 60)
		return false;
	if (c.second == 60) { /* a leap second, which our clock does not have */
		c.second = 59;
		c.ms = 999;
	}
	time_ms = days_from_civil(c.year, c.month, c.day) * MS_PER_DAY +
		  ((c.hour * 60 + c.minute - offset) * INT64_C(60) + c.second) * 1000 + c.ms;
	if (time_ms < IPL_TIME_MS_MIN || time_ms > IPL_TIME_MS_MAX)
		return false;
	*out_ms = time_ms;
	return true;
}

/* @count decimal digits of @n, and a mark behind them; gives what comes after. */
static char *put(char *out, int64_t n, int count, char mark)
{
	for (int i = count - 1; i >= 0; i--, n /= 10)
		out[i] = (char)('0' + n % 10);
	out[count] = mark;
	return out + count + 1;
}

/* "2026-11-23T22:13", the end open. */
static char *put_minutes(char *out, const struct civil *c, char mark)
{
	out = put(out, c->year, 4, '-');
	out = put(out, c->month, 2, '-');
	out = put(out, c->day, 2, 'T');
	out = put(out, c->hour, 2, ':');
	return put(out, c->minute, 2, mark);
}

void ipl_time_format(int64_t time_ms, char out[IPL_TIME_TEXT_MAX])
{
	struct civil c = civil_from_ms(time_ms);

	out = put_minutes(out, &c, ':');
	out = put(out, c.second, 2, '.');
	*put(out, c.ms, 3, 'Z') = '\0';
}

void ipl_time_format_minutes(int64_t time_ms, char out[IPL_TIME_TEXT_MAX])
{
	struct civil c = civil_from_ms(time_ms);

	*put_minutes(out, &c, 'Z') = '\0';
}

void ipl_time_format_seconds(int64_t time_ms, char out[IPL_TIME_TEXT_MAX])
{
	struct civil c = civil_from_ms(time_ms);

	out = put_minutes(out, &c, ':');
	*put(out, c.second, 2, 'Z') = '\0';
}
