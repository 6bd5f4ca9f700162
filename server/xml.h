/* SPDX-License-Identifier: Apache-2.0 */
/* The value tree as XML, the way the cloud writes its answers. */
#ifndef IPL_SERVER_XML_H
#define IPL_SERVER_XML_H

#include "events/value.h"

/**
 * Append a document: @root around the members of @map. A member is an element, an
 * array its element repeated, nil an empty one. What XML 1.0 cannot hold (control
 * characters) becomes U+FFFD; a key that is no XML name is an element `Item` with
 * the attribute `name`.
 */
void ipl_xml_write(struct ipl_buf *out, const char *root, const struct ipl_value *map);

#endif
