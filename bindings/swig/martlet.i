/* SPDX-License-Identifier: Apache-2.0
 *
 * Owns what SWIG reads for Java and C#: the C headers as they are. No declaration enters them
 that it cannot take; the typemaps of each language come with its package. */
%module martlet

%{
#include "martlet/martlet.h"
%}

%include <stdint.i>

#ifdef SWIGCSHARP
%include "csharp/typemaps.i"
#endif
#ifdef SWIGJAVA
%include "java/typemaps.i"
#endif

%include "martlet/status.h"
%include "martlet/version.h"
%include "martlet/batch.h"
%include "martlet/queue.h"
%include "martlet/server.h"
%include "martlet/connection.h"
%include "martlet/subscription.h"
