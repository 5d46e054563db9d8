/* The collections of a DJAMMS venue: their attributes, sizes and who may do what. Constant data. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum attribute_type {
    ATTR_STRING,
    ATTR_INTEGER,
    ATTR_FLOAT,
    ATTR_BOOLEAN,
    ATTR_DATETIME,
    ATTR_ENUM,
    ATTR_URL
};

struct attribute {
    const char *name;
    enum attribute_type type;
    size_t size; /* STRING: characters (code points) at most */
    bool is_required;
    bool is_json; /* STRING that holds JSON text */
    bool is_unique;
    const char *def;     /* JSON text; NULL: none */
    const char *choices; /* ENUM: blank-separated */
    long long min, max;  /* INTEGER; both 0: anything of 64 bits */
};

enum collection_right { RIGHT_READ, RIGHT_CREATE, RIGHT_UPDATE, RIGHT_DELETE, RIGHTS };

struct collection {
    const char *id;
    const struct attribute *attribute;
    size_t attribute_count;
    /* Blank-separated roles: any, users, guests, label:staff; "": API keys only. */
    const char *roles[RIGHTS];
};

size_t collection_count(void);
const struct collection *collection_at(size_t i);
const struct collection *collection_find(const char *id); /* NULL: there is none */
/* NULL: no such attribute. */
const struct attribute *collection_attribute(const struct collection *c, const char *name);
