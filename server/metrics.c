/* SPDX-License-Identifier: Apache-2.0 */
/* Prometheus' text format. */
#include "server/metrics.h"

#include <inttypes.h>

void ipl_metric_family(struct ipl_buf *out, const char *name, const char *type, const char *help)
{
	ipl_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void ipl_metric_one(struct ipl_buf *out, const char *name, const char *type, const char *help,
		    double value)
{
	ipl_metric_family(out, name, type, help);
	ipl_buf_printf(out, "%s %.17g\n", name, value);
}

static void write_histogram(struct ipl_buf *out, const char *name, const char *labels,
			    const struct ipl_histogram *histogram, double unit, double sum_unit)
{
	const char *comma = labels[0] == '\0' ? "" : ",";
	uint64_t count = 0;

	for (unsigned i = 0; i < IPL_HISTOGRAM_BUCKETS; i++) {
		count += histogram->bucket[i];
		ipl_buf_printf(out, "%s_bucket{%s%sle=\"%.10g\"} %" PRIu64 "\n", name, labels,
			       comma, (double)(UINT64_C(1) << i) * unit, count);
	}
	count += histogram->bucket[IPL_HISTOGRAM_BUCKETS];
	ipl_buf_printf(out, "%s_bucket{%s%sle=\"+Inf\"} %" PRIu64 "\n", name, labels, comma, count);
	ipl_buf_printf(out, "%s_sum{%s} %.17g\n", name, labels, (double)histogram->sum * sum_unit);
	ipl_buf_printf(out, "%s_count{%s} %" PRIu64 "\n", name, labels, count);
}

void ipl_metric_histogram_ns(struct ipl_buf *out, const char *name, const char *labels,
			     const struct ipl_histogram *histogram)
{
	write_histogram(out, name, labels, histogram, (double)(1u << IPL_HISTOGRAM_NS_SHIFT) * 1e-9,
			1e-9);
}

void ipl_metric_histogram_count(struct ipl_buf *out, const char *name, const char *labels,
				const struct ipl_histogram *histogram)
{
	write_histogram(out, name, labels, histogram, 1, 1);
}
