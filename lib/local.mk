# lib/ - one archive per layer, so that a link line shows what a program uses.

noinst_LIBRARIES += lib/libbase.a lib/librule.a lib/libport.a lib/libremote.a lib/libsync.a

lib_libbase_a_SOURCES =

lib_librule_a_SOURCES =

lib_libport_a_SOURCES =

lib_libremote_a_SOURCES =

lib_libsync_a_SOURCES =

LIB_ALL = lib/libsync.a lib/libremote.a lib/libport.a lib/librule.a lib/libbase.a
LIB_LIBS = $(CURL_LIBS) $(JANSSON_LIBS) $(CRYPTO_LIBS) $(SQLITE_LIBS) -lpthread

# What a program links unless it says otherwise.
LDADD = $(LIB_ALL) $(LIB_LIBS) $(CMOCKA_LIBS)
