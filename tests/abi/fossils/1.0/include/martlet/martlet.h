/* SPDX-License-Identifier: Apache-2.0
 *
 * Owns nothing: includes every header of the C ABI. Read in this order: status, version, batch,
 * queue, server, connection, subscription. */
#ifndef MARTLET_MARTLET_H
#define MARTLET_MARTLET_H

#include "martlet/batch.h"
#include "martlet/connection.h"
#include "martlet/queue.h"
#include "martlet/server.h"
#include "martlet/status.h"
#include "martlet/subscription.h"
#include "martlet/version.h"

#endif
