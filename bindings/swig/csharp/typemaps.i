/* SPDX-License-Identifier: Apache-2.0
 *
 * Owns how the C ABI looks to C#: every handle is a SafeHandle of its own type, so that the runtime
 * keeps it alive during a call; texts and payloads are a byte* with a length; an out parameter is
 * an out parameter. Nothing is copied, no proxy classes are made. The functions that end a handle
 * are left out: only the SafeHandles call them, by their own names. */

%pragma(csharp) imclassclassmodifiers="internal static unsafe class"
%pragma(csharp) moduleclassmodifiers="internal static unsafe class"

/* The numbers come from the generated Abi class, the layouts are read by offset. */
%rename("$ignore", regextarget=1, %$isconstant) "^MARTLET_";
%ignore martlet_descriptor;
%ignore martlet_batch_info;

%ignore martlet_server_free;
%ignore martlet_connection_free;
%ignore martlet_subscription_free;
%ignore martlet_queue_free;
%ignore martlet_batch_release;
%ignore martlet_error_free;
%ignore martlet_text_free;

/* TYPE as the C# type CSHARP, unchanged on its way. */
%define MARTLET_PLAIN(TYPE, CSHARP)
%typemap(ctype, out="void *") TYPE "void *"
%typemap(imtype) TYPE "CSHARP"
%typemap(cstype) TYPE "CSHARP"
%typemap(csin) TYPE "$csinput"
%typemap(in) TYPE %{ $1 = ($1_ltype)$input; %}
%typemap(out) TYPE %{ $result = (void *)$1; %}
%typemap(csout, excode="") TYPE { return $imcall; }
%enddef

/* An argument that the call writes to. */
%define MARTLET_OUT(TYPE, CSHARP)
%typemap(ctype) TYPE "void *"
%typemap(imtype) TYPE "out CSHARP"
%typemap(cstype) TYPE "out CSHARP"
%typemap(csin) TYPE "out $csinput"
%typemap(in) TYPE %{ $1 = ($1_ltype)$input; %}
%enddef

%define MARTLET_HANDLE(NOUN, CSHARP)
MARTLET_PLAIN(martlet_##NOUN *, CSHARP)
MARTLET_PLAIN(const martlet_##NOUN *, CSHARP)
MARTLET_OUT(martlet_##NOUN **, CSHARP)
%enddef

MARTLET_HANDLE(server, ServerHandle)
MARTLET_HANDLE(connection, ConnectionHandle)
MARTLET_HANDLE(subscription, SubscriptionHandle)
MARTLET_HANDLE(queue, QueueHandle)
MARTLET_HANDLE(batch, BatchHandle)
MARTLET_HANDLE(text, TextHandle)
MARTLET_PLAIN(martlet_error *, System.IntPtr)
MARTLET_PLAIN(const martlet_error *, System.IntPtr)
MARTLET_OUT(martlet_error **, System.IntPtr)

MARTLET_PLAIN(const char *, byte*)
MARTLET_PLAIN(const void *, byte*)
MARTLET_PLAIN(void *, System.IntPtr)
MARTLET_PLAIN(void *buffer, byte*)
MARTLET_PLAIN(martlet_batch_info *, byte*)
MARTLET_PLAIN(const martlet_descriptor *, byte*)
MARTLET_PLAIN(martlet_wake_fn, System.IntPtr)
MARTLET_PLAIN(martlet_user_data_free_fn, System.IntPtr)

/* Lengths that may be left out are never left out here. */
MARTLET_OUT(int64_t *, long)
MARTLET_OUT(int32_t *, int)
