/* What is neither a document nor an account. */
#include <stdio.h>

#include "hub/api_internal.h"

bool api_ping(struct api_call *call)
{
    api_reply_plain(call->reply, "Pong!");
    return true;
}

bool api_version(struct api_call *call)
{
    struct message *m = message_create();
    message_set_str(m, "version", API_VERSION);
    message_set_str(m, "hub", DJAMMS_VERSION);
    api_reply_message(call->reply, 200, m);
    return true;
}

bool api_locale(struct api_call *call)
{
    static const char *const unknown[] = { "countryCode", "country", "continentCode", "continent" };
    struct message *m = message_create();
    message_set_str(m, "ip", call->request->peer);
    for (size_t i = 0; i < ARRAY_LEN(unknown); i++)
        message_set_str(m, unknown[i], "--");
    message_set_bool(m, "eu", false);
    message_set_str(m, "currency", "--");
    api_reply_message(call->reply, 200, m);
    return true;
}

/* Clients that ask for the shape of a version before 1.4 know an execution's answer by other names. */
static void add_old_names(struct api_call *call, struct message *execution)
{
    static const char *const names[][2] = { { "statusCode", "responseStatusCode" },
                                            { "response", "responseBody" },
                                            { "stdout", "logs" },
                                            { "stderr", "errors" } };
    const char *format = call->request->header(call->request->ctx, "x-appwrite-response-format");
    int major, minor;
    if (!format || sscanf(format, "%4d.%4d", &major, &minor) != 2 || major > 1 || minor >= 4)
        return;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        message_set_field(execution, names[i][0], execution, names[i][1]);
}

bool api_execute(struct api_call *call)
{
    struct message *execution;
    if (!message_has(call->body, "body")) /* the name that clients of the year 2023 use */
        message_set_field(call->body, "body", call->body, "data");
    if (!functions_execute(call->api->params.functions, &call->caller, call->arg[0], call->body,
                           &execution, &call->error))
        return false;
    add_old_names(call, execution);
    bool is_async = message_bool(call->body, "async", false);
    api_reply_message(call->reply, is_async ? 202 : 201, execution);
    return true;
}
