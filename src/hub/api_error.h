/* What a request was refused for, as Appwrite says it: {"message","code","type","version"}. */
#pragma once

#include <stdbool.h>

#include "base/compiler.h"

enum api_error_kind {
    API_OK,
    API_ARGUMENT_INVALID,     /* 400 general_argument_invalid */
    API_QUERY_INVALID,        /* 400 general_query_invalid */
    API_CURSOR_NOT_FOUND,     /* 400 general_cursor_not_found */
    API_STRUCTURE_INVALID,    /* 400 document_invalid_structure */
    API_DATA_MISSING,         /* 400 document_missing_data */
    API_PAYLOAD_MISSING,      /* 400 document_missing_payload */
    API_LIMIT_EXCEEDED,       /* 400 attribute_limit_exceeded */
    API_ATTRIBUTE_TYPE,       /* 400 attribute_type_invalid */
    API_SCOPE_MISSING,        /* 401 general_unauthorized_scope */
    API_UNAUTHORIZED,         /* 401 user_unauthorized */
    API_JWT_INVALID,          /* 401 user_jwt_invalid */
    API_CREDENTIALS_INVALID,  /* 401 user_invalid_credentials */
    API_TOKEN_INVALID,        /* 401 user_invalid_token */
    API_ORIGIN_UNKNOWN,       /* 403 general_unknown_origin */
    API_BLOCKED,              /* 403 user_blocked */
    API_PROJECT_NOT_FOUND,    /* 404 project_not_found */
    API_DATABASE_NOT_FOUND,   /* 404 database_not_found */
    API_COLLECTION_NOT_FOUND, /* 404 collection_not_found */
    API_DOCUMENT_NOT_FOUND,   /* 404 document_not_found */
    API_ATTRIBUTE_NOT_FOUND,  /* 404 attribute_not_found */
    API_FUNCTION_NOT_FOUND,   /* 404 function_not_found */
    API_USER_NOT_FOUND,       /* 404 user_not_found */
    API_SESSION_NOT_FOUND,    /* 404 user_session_not_found */
    API_ROUTE_NOT_FOUND,      /* 404 general_route_not_found */
    API_NO_TRANSACTION,       /* 404 transaction_not_found */
    API_DOCUMENT_EXISTS,      /* 409 document_already_exists */
    API_USER_EXISTS,          /* 409 user_already_exists */
    API_UPDATE_CONFLICT,      /* 409 document_update_conflict */
    API_TOO_LARGE,            /* 413 general_argument_invalid */
    API_RATE_LIMIT,           /* 429 general_rate_limit_exceeded */
    API_INTERNAL,             /* 500 general_unknown */
    API_MAIL_OFF,             /* 503 general_smtp_disabled */
    API_STORAGE,              /* 503 general_server_error: the disk does not take it */
    API_ERROR_KINDS
};

struct api_error {
    enum api_error_kind kind;
    char message[384];
};

int api_error_status(enum api_error_kind kind);
const char *api_error_type(enum api_error_kind kind);
/* Fills *e and returns false, so that a refusal is one statement. The message names field and value. */
bool api_fail(struct api_error *e, enum api_error_kind kind, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
