/* SPDX-License-Identifier: Apache-2.0
 *
 * Owns how the C ABI looks in Java's raw layer (package io.martlet.raw): handles are `long`, bytes
 * with their length are `byte[]`, blocks that the caller lends are direct ByteBuffers, outputs are
 * arrays of one element, and a martlet_error becomes the exception that Failure makes of it. There
 * are no directors: nothing here is called by the library. Nothing here owns a handle either, so
 * that no finalizer exists; the package above frees them. */

%{
/* What is small is copied to the stack; JNI's own copies cost an allocation each. */
#define MARTLET_JAVA_SMALL_BYTES 512
#define MARTLET_JAVA_PAYLOAD_BYTES 4096

/* The Java side of Failure.of, found once when the library is loaded. */
static jclass martlet_java_failure_class = NULL;
static jmethodID martlet_java_failure_of = NULL;

JNIEXPORT jint JNICALL JNI_OnLoad(JavaVM *vm, void *reserved) {
  JNIEnv *env = NULL;
  (void)reserved;
  if ((*vm)->GetEnv(vm, (void **)&env, JNI_VERSION_1_8) != JNI_OK) return JNI_ERR;
  jclass found = (*env)->FindClass(env, "io/martlet/raw/Failure");
  if (found == NULL) return JNI_ERR;
  martlet_java_failure_class = (jclass)(*env)->NewGlobalRef(env, found);
  (*env)->DeleteLocalRef(env, found);
  if (martlet_java_failure_class == NULL) return JNI_ERR;
  martlet_java_failure_of = (*env)->GetStaticMethodID(
      env, martlet_java_failure_class, "of", "(I[B)Ljava/lang/RuntimeException;");
  return martlet_java_failure_of == NULL ? JNI_ERR : JNI_VERSION_1_8;
}

JNIEXPORT void JNICALL JNI_OnUnload(JavaVM *vm, void *reserved) {
  JNIEnv *env = NULL;
  (void)reserved;
  if ((*vm)->GetEnv(vm, (void **)&env, JNI_VERSION_1_8) != JNI_OK) return;
  (*env)->DeleteGlobalRef(env, martlet_java_failure_class);
  martlet_java_failure_class = NULL;
}

/* The bytes of a text of the library; NULL without memory (an exception is pending then). */
static jbyteArray martlet_java_bytes(JNIEnv *env, const char *text, int64_t bytes) {
  jbyteArray array = (*env)->NewByteArray(env, (jsize)bytes);
  if (array != NULL && bytes > 0) {
    (*env)->SetByteArrayRegion(env, array, 0, (jsize)bytes, (const jbyte *)text);
  }
  return array;
}

/* Throws what Failure makes of the error, and frees it. */
static void martlet_java_throw(JNIEnv *env, martlet_error *error) {
  int64_t bytes = 0;
  const char *text = martlet_error_text(error, &bytes);
  const martlet_status status = martlet_error_status(error);
  jbyteArray array = martlet_java_bytes(env, text, bytes);
  martlet_error_free(error);
  if (array == NULL) return;
  jobject thrown = (*env)->CallStaticObjectMethod(env, martlet_java_failure_class,
                                                  martlet_java_failure_of, (jint)status, array);
  const jboolean has_failed = (*env)->ExceptionCheck(env); /* Without memory: that is thrown. */
  (*env)->DeleteLocalRef(env, array);
  if (has_failed || thrown == NULL) return;
  (*env)->Throw(env, (jthrowable)thrown);
  (*env)->DeleteLocalRef(env, thrown);
}

static void martlet_java_throw_text(JNIEnv *env, const char *class_name, const char *text) {
  jclass kind = (*env)->FindClass(env, class_name);
  if (kind != NULL) (*env)->ThrowNew(env, kind, text);
}

/* The bytes of an array: in `small` when they fit, else in memory that the caller frees. Answers 0
 * with an exception pending when there is none. */
static int martlet_java_read(JNIEnv *env, jbyteArray array, char *small, jsize small_bytes,
                             char **out, jsize *out_bytes) {
  *out = NULL;
  *out_bytes = 0;
  if (array == NULL) return 1;
  *out_bytes = (*env)->GetArrayLength(env, array);
  *out = small;
  if (*out_bytes > small_bytes) {
    *out = (char *)malloc((size_t)*out_bytes);
    if (*out == NULL) {
      martlet_java_throw_text(env, "java/lang/OutOfMemoryError", "a copy of an array");
      return 0;
    }
  }
  if (*out_bytes > 0) (*env)->GetByteArrayRegion(env, array, 0, *out_bytes, (jbyte *)*out);
  return 1;
}

/* The two natives of OutgoingBlock, which lends its memory by address: each call that asks the JVM
 * for an array costs a tenth of a publish. */

JNIEXPORT jlong JNICALL Java_io_martlet_raw_OutgoingBlock_addressOf(JNIEnv *env, jclass type,
                                                                    jobject memory) {
  (void)type;
  return (jlong)(intptr_t)(*env)->GetDirectBufferAddress(env, memory);
}

JNIEXPORT jint JNICALL Java_io_martlet_raw_OutgoingBlock_publish(
    JNIEnv *env, jclass type, jlong connection, jlong block, jint subject_bytes, jint reply_bytes,
    jint headers_bytes, jint data_bytes) {
  const char *const subject = (const char *)(intptr_t)block;
  const char *const reply = subject + subject_bytes;
  const char *const headers = reply + reply_bytes;
  martlet_error *failure = NULL;
  (void)type;
  const martlet_status status = martlet_connection_publish(
      (martlet_connection *)(intptr_t)connection, subject, subject_bytes, reply, reply_bytes,
      headers, headers_bytes, headers + headers_bytes, data_bytes, &failure);
  if (failure != NULL) martlet_java_throw(env, failure);
  return status;
}
%}

/* --- handles --- */

%define MARTLET_HANDLE(TYPE)
%typemap(jni) TYPE *, const TYPE * "jlong"
%typemap(jtype) TYPE *, const TYPE * "long"
%typemap(jstype) TYPE *, const TYPE * "long"
%typemap(in, noblock=1) TYPE *, const TYPE * { $1 = ($1_ltype)(intptr_t)$input; }
%typemap(out, noblock=1) TYPE *, const TYPE * { $result = (jlong)(intptr_t)$1; }
%typemap(javain) TYPE *, const TYPE * "$javainput"
%typemap(javaout) TYPE *, const TYPE * { return $jnicall; }
%typemap(jni) TYPE ** "jlongArray"
%typemap(jtype) TYPE ** "long[]"
%typemap(jstype) TYPE ** "long[]"
%typemap(javain) TYPE ** "$javainput"
%typemap(in) TYPE ** (TYPE *made = NULL) { $1 = $input == NULL ? NULL : &made; }
%typemap(argout) TYPE ** {
  if ($1 != NULL && *$1 != NULL) {
    const jlong handle = (jlong)(intptr_t)*$1;
    (*jenv)->SetLongArrayRegion(jenv, $input, 0, 1, &handle);
  }
}
%enddef

MARTLET_HANDLE(martlet_queue)
MARTLET_HANDLE(martlet_batch)
MARTLET_HANDLE(martlet_server)
MARTLET_HANDLE(martlet_connection)
MARTLET_HANDLE(martlet_subscription)
MARTLET_HANDLE(martlet_text)
MARTLET_HANDLE(martlet_error)
/* Addresses: of functions, of what is lent to them, of memory that a handle owns. */
MARTLET_HANDLE(void)
MARTLET_HANDLE(martlet_descriptor)

%typemap(jni) martlet_wake_fn, martlet_user_data_free_fn "jlong"
%typemap(jtype) martlet_wake_fn, martlet_user_data_free_fn "long"
%typemap(jstype) martlet_wake_fn, martlet_user_data_free_fn "long"
%typemap(in) martlet_wake_fn, martlet_user_data_free_fn { $1 = ($1_ltype)(intptr_t)$input; }
%typemap(javain) martlet_wake_fn, martlet_user_data_free_fn "$javainput"

/* --- an error is an exception --- */

%typemap(in, numinputs=0) martlet_error ** (martlet_error *failure = NULL) { $1 = &failure; }
%typemap(argout) martlet_error ** {
  if (*$1 != NULL) martlet_java_throw(jenv, *$1);
}

/* --- bytes --- */

%define MARTLET_BYTES(POINTER, LENGTH, SMALL)
%typemap(jni) (POINTER, LENGTH) "jbyteArray"
%typemap(jtype) (POINTER, LENGTH) "byte[]"
%typemap(jstype) (POINTER, LENGTH) "byte[]"
%typemap(javain) (POINTER, LENGTH) "$javainput"
%typemap(in) (POINTER, LENGTH) (char small[SMALL], char *copy = NULL, jsize bytes) {
  if (!martlet_java_read(jenv, $input, small, (jsize)sizeof(small), &copy, &bytes)) return $null;
  $1 = ($1_ltype)copy;
  $2 = bytes;
}
%typemap(freearg) (POINTER, LENGTH) {
  if ((char *)$1 != small$argnum) free((void *)$1);
}
%enddef

MARTLET_BYTES(const char *options, int64_t options_bytes, MARTLET_JAVA_SMALL_BYTES)
MARTLET_BYTES(const char *subject, int64_t subject_bytes, MARTLET_JAVA_SMALL_BYTES)
MARTLET_BYTES(const char *group, int64_t group_bytes, MARTLET_JAVA_SMALL_BYTES)
MARTLET_BYTES(const char *reply, int64_t reply_bytes, MARTLET_JAVA_SMALL_BYTES)
MARTLET_BYTES(const void *headers, int64_t headers_bytes, MARTLET_JAVA_SMALL_BYTES)
MARTLET_BYTES(const void *data, int64_t data_bytes, MARTLET_JAVA_PAYLOAD_BYTES)

/* A text of the library, with the length that it tells beside it. */
%typemap(jni) const char * "jbyteArray"
%typemap(jtype) const char * "byte[]"
%typemap(jstype) const char * "byte[]"
%typemap(out, noblock=1) const char * {
  $result = $1 == NULL ? NULL : martlet_java_bytes(jenv, $1, out_bytes_value);
}
%typemap(javaout) const char * { return $jnicall; }

/* --- numbers that come out --- */

%define MARTLET_OUTPUT(TYPE, NAME, JAVA, ARRAY, SET)
%typemap(jni) TYPE *NAME "ARRAY"
%typemap(jtype) TYPE *NAME "JAVA[]"
%typemap(jstype) TYPE *NAME "JAVA[]"
%typemap(javain) TYPE *NAME "$javainput"
%typemap(in, noblock=1) TYPE *NAME { TYPE NAME##_value = 0; $1 = &NAME##_value; }
%typemap(argout, noblock=1) TYPE *NAME {
  if ($input != NULL) (*jenv)->SET(jenv, $input, 0, 1, &NAME##_value);
}
%enddef

%define MARTLET_OUTPUT_LONG(NAME)
MARTLET_OUTPUT(int64_t, NAME, long, jlongArray, SetLongArrayRegion)
%typemap(argout, noblock=1) int64_t *NAME {
  if ($input != NULL) {
    const jlong NAME##_jlong = NAME##_value;
    (*jenv)->SetLongArrayRegion(jenv, $input, 0, 1, &NAME##_jlong);
  }
}
%enddef

MARTLET_OUTPUT_LONG(out_bytes)
MARTLET_OUTPUT_LONG(out_messages)
MARTLET_OUTPUT_LONG(out_dropped)
MARTLET_OUTPUT_LONG(out_delivered)
MARTLET_OUTPUT_LONG(out_rtt_ns)
MARTLET_OUTPUT(int32_t, out_state, int, jintArray, SetIntArrayRegion)
MARTLET_OUTPUT(int32_t, out_port, int, jintArray, SetIntArrayRegion)
MARTLET_OUTPUT(int32_t, out_fd, int, jintArray, SetIntArrayRegion)
MARTLET_OUTPUT(int32_t, out_timeout_ms, int, jintArray, SetIntArrayRegion)

/* --- blocks that the caller lends: direct buffers --- */

%typemap(jni) (void *buffer, int64_t buffer_bytes), martlet_batch_info * "jobject"
%typemap(jtype) (void *buffer, int64_t buffer_bytes), martlet_batch_info * "java.nio.ByteBuffer"
%typemap(jstype) (void *buffer, int64_t buffer_bytes), martlet_batch_info * "java.nio.ByteBuffer"
%typemap(javain) (void *buffer, int64_t buffer_bytes), martlet_batch_info * "$javainput"
%typemap(in) (void *buffer, int64_t buffer_bytes) {
  $1 = $input == NULL ? NULL : (*jenv)->GetDirectBufferAddress(jenv, $input);
  $2 = $1 == NULL ? 0 : (*jenv)->GetDirectBufferCapacity(jenv, $input);
}
%typemap(in) martlet_batch_info * {
  $1 = NULL;
  if ($input != NULL &&
      (*jenv)->GetDirectBufferCapacity(jenv, $input) >= (jlong)sizeof(martlet_batch_info)) {
    $1 = (martlet_batch_info *)(*jenv)->GetDirectBufferAddress(jenv, $input);
  }
}

/* Their layout is in Abi: no class of SWIG's reads them. */
%ignore martlet_descriptor;
%ignore martlet_batch_info;
