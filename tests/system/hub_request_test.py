"""Requests that are HTTP and nothing else: wrong places, bodies that are no documents, queries that would be SQL,
stolen credentials. Refused with the right error, nothing written, and the hub says what is true."""
import json
import sys
from pathlib import Path
from urllib.parse import quote, quote_plus

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))
from house import main
from hubrig import FIELDS, POST, PROJECT, QUEUE, REQUESTS, VENUE, Hub, HubTest, documents, song_request


class BadRequests(HubTest):
    def test_what_is_not_there(self):
        # method, path, project, right status and type
        venue, key = documents("queues", VENUE), self.hub.key
        cases = [
            ("GET", venue, None, 404, "project_not_found"),
            ("GET", venue, "", 404, "project_not_found"),
            ("GET", venue, "HOUSE", 404, "project_not_found"),
            ("GET", venue, "house'--", 404, "project_not_found"),
            ("GET", venue, "h" * 5000, 404, "project_not_found"),
            ("DELETE", venue, "elsewhere", 404, "project_not_found"),
            ("GET", venue.replace("main", "other"), PROJECT, 404, "database_not_found"),
            ("GET", "/v1/databases/main/collections/sqlite_master/documents", PROJECT, 404, "collection_not_found"),
            ("GET", "/v1/databases/main/collections/documents/documents", PROJECT, 404, "collection_not_found"),
            ("GET", "/", PROJECT, 404, "general_route_not_found"),
            ("GET", "/v1", PROJECT, 404, "general_route_not_found"),
            ("GET", "/v2/health/version", PROJECT, 404, "general_route_not_found"),
            ("GET", "/v1/databases/main/collections/queues/documents/a/b", PROJECT, 404, "general_route_not_found"),
            ("GET", "/v1" + "/x" * 500, PROJECT, 404, "general_route_not_found"),
            ("POST", venue, PROJECT, 404, "general_route_not_found"),
            ("PUT", documents("queues"), PROJECT, 404, "general_route_not_found"),
            ("DELETE", documents("queues"), PROJECT, 404, "general_route_not_found"),
            ("PATCH", "/v1/health/version", PROJECT, 404, "general_route_not_found"),
            ("BREW", venue, PROJECT, 404, "general_route_not_found"),
        ]
        for method, path, project, status, kind in cases:
            with self.subTest(f"{method} {path[:80]} {project and project[:20]}"), self.hub.http() as h:
                a = h.ask(method, path, headers={"X-Appwrite-Project": project})
                self.assertEqual((a.status, a.json["type"], a.json["code"]), (status, kind, status))
        self.assertEqual(self.hub.ask("GET", QUEUE).status, 200)

    def test_bodies_that_are_no_documents(self):
        deep = 100000
        good = song_request(1)
        cases = {
            "nothing": b"", "no JSON": b"{", "two": b"{}{}", "a list": b"[]", "a text": b'"x"', "a number": b"1",
            "null": b"null", "bad UTF-8": b'{"documentId":"x","data":{"requestId":"\xff\xfe"}}',
            "overlong UTF-8": b'{"documentId":"x","data":{"requestId":"\xc0\xaf"}}',
            "a surrogate in UTF-8": b'{"documentId":"x","data":{"requestId":"\xed\xa0\x80"}}',
            "half a surrogate": b'{"documentId":"x","data":{"requestId":"\\ud800"}}',
            "a bad escape": b'{"documentId":"x","data":{"requestId":"\\q"}}',
            "half an escape": b'{"documentId":"x","data":{"requestId":"\\u12',
            "a raw line end in a text": b'{"documentId":"x","data":{"requestId":"a\nb"}}',
            "a name twice": b'{"documentId":"x","documentId":"y","data":{}}',
            "a NUL in a name": b'{"documentId":"x","data":{"request\\u0000Id":"x"}}',
            "a NUL in a text": json.dumps({"documentId": "x", "data": dict(good, requestId="a\0b")}).encode(),
            "a number of 10,000 digits": b'{"documentId":"x","data":{"lastHeartbeat":' + b"9" * 10000 + b"}}",
            "1e999": b'{"documentId":"x","data":{"lastHeartbeat":1e999}}',
            "deep lists": b"[" * deep, "deep objects": b'{"a":' * deep,
            "deep data": b'{"documentId":"x","data":' + b"[" * deep,
            "deep and closed": b'{"documentId":"x","data":{"song":' + b"[" * deep + b"]" * deep + b"}}",
            "data that is a list": b'{"documentId":"x","data":[1]}',
            "data that is a number": b'{"documentId":"x","data":1}',
            "data that is text and no JSON": b'{"documentId":"x","data":"{"}',
            "an id that is a number": json.dumps({"documentId": 7, "data": good}).encode(),
            "an id that is a list": json.dumps({"documentId": ["x"], "data": good}).encode(),
            "no id": json.dumps({"data": good}).encode(),
            "permissions that are none": json.dumps({"documentId": "x", "data": good,
                                                     "permissions": ["nonsense"]}).encode(),
            "permissions that are numbers": json.dumps({"documentId": "x", "data": good, "permissions": [1]}).encode(),
            "an attribute of SQL": json.dumps({"documentId": "x",
                                               "data": {**good, "x') ; DROP TABLE documents; --": "1"}}).encode(),
        }
        for name, body in cases.items():
            for method, path in (("POST", REQUESTS), ("PUT", documents("requests", "x")), ("PATCH", QUEUE)):
                if method != "POST" and ("id" in name.split() or "documentId" in name):
                    continue
                with self.subTest(name, method=method):
                    a = self.hub.ask(method, path, body)
                    self.assertEqual((a.status, a.json["code"]), (400, 400), a)
        self.assertEqual(self.hub.ask("GET", documents("requests", "x")).status, 404)
        with self.subTest("a body that says it is something else"):
            a = self.hub.ask("POST", REQUESTS, {"documentId": "typed", "data": good}, {"Content-Type": "text/plain"})
            self.assertIn(a.status, (201, 400, 415))
            self.hub.ask("DELETE", documents("requests", "typed"))

    def test_texts_that_would_be_sql_are_texts(self):
        evil = ["'", '"', "\\", "' OR '1'='1", "x'; DROP TABLE documents; --", '"; DELETE FROM documents; --', "%", "_",
                "*",
                "$.requestId", "') OR json_extract(data,'$.a') = ('", "\u2019", "\U0001f3b8", "?1", ":a", "@a", "/*",
                "--", "`"]
        with self.hub.http() as h:
            for i, text in enumerate(evil):
                a = h.ask("POST", REQUESTS, {"documentId": f"sql-{i}",
                                             "data": song_request(i, requesterId=text, venueId="sql")})
                self.assertEqual(a.status, 201, a)
            for i, text in enumerate(evil):
                where = [{"method": "equal", "attribute": "requesterId", "values": [text]},
                         {"method": "equal", "attribute": "venueId", "values": ["sql"]}]
                a = h.ask("GET", REQUESTS + "?" + "&".join(f"queries[{k}]={quote_plus(json.dumps(q))}" for k,
                                                           q in enumerate(where)))
                self.assertEqual([d["$id"] for d in a.json["documents"]], [f"sql-{i}"], text)
                for method in ("search", "contains", "startsWith", "endsWith", "notEqual", "lessThan"):
                    q = {"method": method, "attribute": "requesterId", "values": [text]}
                    a = h.ask("GET", f"{REQUESTS}?queries[]={quote_plus(json.dumps(q))}")
                    self.assertEqual(a.status, 200, (method, text, a))
                for path in (documents("requests", text), documents("requests", text + "/x"),
                             f"/v1/databases/{quote(text, safe='')}/collections/requests/documents",
                             f"/v1/databases/main/collections/{quote(text, safe='')}/documents",
                             f"{documents('venues', 'x')}/{quote(text, safe='')}/increment"):
                    method = "PATCH" if path.endswith("increment") else "GET"
                    self.assertIn(h.ask(method, path, {} if method == "PATCH" else None).status, (400, 404), path)
            for i in range(len(evil)):
                self.assertEqual(h.ask("DELETE", documents("requests", f"sql-{i}")).status, 204)

    def test_names_in_queries_never_reach_sql(self):
        names = ["x", "data", "json_extract(data,'$.x')", "requestId; DROP TABLE documents", "requestId' OR 1=1 --",
                 "$.requestId",
                 "requestId) --", '"requestId"', "requestid", "REQUESTID", "sequence", "", " ", "requestId\0",
                 "$sequence2",
                 "a" * 3000]
        with self.hub.http() as h:
            before = h.ask("GET", documents("queues")).json
            for name in names:
                for method in ("equal", "search", "isNull", "between", "orderAsc", "orderDesc", "select"):
                    values = {"between": ["a", "b"], "select": [name]}.get(method, ["x"])
                    q = {"method": method, "attribute": name, "values": values}
                    if (method.startswith("order") and name == "") or (method == "select" and name.startswith("$")):
                        continue        # by age; fields of the server, whatever they are called
                    for text in (json.dumps(q),
                                 f'{method}("{name}", ["x", "y"])' if method != "select" else f'select(["{name}"])'):
                        a = h.ask("GET", f"{REQUESTS}?queries[0]={quote_plus(text)}")
                        with self.subTest(repr(text[:80])):
                            self.assertEqual(a.status, 400, a)
            self.assertEqual(h.ask("GET", documents("queues")).json, before)

    def test_queries_that_are_none(self):
        def nested(n):
            q = {"method": "equal", "attribute": "requestId", "values": ["x"]}
            for _ in range(n):
                q = {"method": "and", "values": [q, {"method": "isNull", "attribute": "song"}]}
            return json.dumps(q)

        eq = '{"method":"equal","attribute":"requestId","values":'
        bad = ["", "x", "{", "[]", "{}", "null", '{"method":1}', '{"method":"equal"}', eq + "[]}", eq + '"x"}',
               eq + "[[]]}", eq + "[{}]}",
               eq + "[1]}", eq + "[true]}", eq + json.dumps(["x"] * 1001) + "}", "equal(", "equal)",
               'equal("requestId"', 'equal("requestId",',
               'equal("requestId",["x"', "limit()", "limit(x)", "limit(-1)", "limit(99999999999999999999)",
               "limit(1.5)", "offset(-1)",
               "offset(99999999999999999999)", "select()", "select([1])", 'cursorAfter("")', "cursorAfter(1)",
               '{"method":"limit","values":["1"]}',
               '{"method":"limit","values":[1e300]}', "[" * 4000, "(" * 4000, '{"method":"or","values":[' * 100,
               "x" * 5000, nested(40), '{"method":"between","attribute":"timestamp","values":["a","b"]}',
               "equal(\"requestId\", [\"\ufffd\"]", "\\",
               '{"method":"search","attribute":"timestamp","values":["x"]}']
        with self.hub.http() as h:
            for text in bad:
                with self.subTest(text[:60]):
                    a = h.ask("GET", f"{REQUESTS}?queries[]={quote_plus(text)}")
                    self.assertEqual((a.status, a.json["code"]), (400, 400), a)
            self.assertEqual(h.ask("GET", f"{REQUESTS}?queries[]={quote_plus(nested(3))}").status, 200)
            one = quote_plus('{"method":"notEqual","attribute":"requestId","values":["x"]}')
            many = "&".join(f"queries[]={one}" for i in range(101))
            self.assertEqual(h.ask("GET", f"{REQUESTS}?{many}").status, 400, "more than 100")
            for raw in (b"queries[]=%ff%fe", b"queries[]=%", b"queries[]=%00", b"queries[]=\xff"):
                h.send(b"GET " + REQUESTS.encode() + b"?" + raw + b" HTTP/1.1\r\n" + FIELDS + b"\r\n")
                with self.subTest(raw):
                    self.assertEqual(h.answer().status, 400)

    def test_documents_of_two_megabytes(self):
        text = "\u00e4\u266b" * 400000      # 2 MB as UTF-8, 800,000 characters
        with self.hub.http() as h, self.hub.ws("documents") as ws:
            ws.connected()
            data = {"venueId": "big", "name": "Big", "slug": "big", "ownerId": "o", "createdAt": "2026-01-01T00:00:00Z",
                    "users": text}
            made = h.ask("POST", documents("venues"), {"documentId": "big", "data": data})
            self.assertEqual(made.status, 201, made)
            self.assertEqual(h.ask("GET", documents("venues", "big")).json["users"], text)
            self.assertEqual(ws.message()["data"]["payload"], made.json)
            a = h.ask("PATCH", documents("venues", "big"), {"data": {"users": text + text}})
            self.assertEqual((a.status, a.json["type"]), (400, "document_invalid_structure"),
                             "more than its million characters")
            a = h.ask("PATCH", QUEUE, {"data": {"mainQueue": "x" * 100001}})
            self.assertEqual((a.status, a.json["type"]), (400, "document_invalid_structure"))
            self.assertEqual(h.ask("DELETE", documents("venues", "big")).status, 204)
            ws.message()

    def test_bodies_beyond_the_bound(self):
        for head in ("Content-Length: 13000000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n"):
            with self.subTest(head), self.hub.http() as h:
                h.send(POST + head.encode())
                part = b'"' + b"x" * 65534 + b'"'
                try:
                    for _ in range(200):
                        h.send(b"10000\r\n" + part + b"\r\n" if "chunked" in head else part)
                except ConnectionError:
                    pass
                try:
                    self.assertEqual(h.head()[0], 413)
                except ConnectionError:
                    pass        # cut while we were still talking

    def test_broken_values_in_documents_do_not_stop_the_functions(self):
        song = {"videoId": "v", "title": "t", "artist": "", "duration": 1}
        call = {"body": json.dumps({"venueId": VENUE, "song": song, "paymentId": "p", "requesterId": "r"})}
        with self.hub.http() as h:
            for text in ("", "null", "no JSON", "[" * 50000, '"[{\\"videoId\\":\\"a\\"}]"', "[1,null,[],{}]", "{}",
                         '[{"videoId":7}]'):
                with self.subTest(text[:30]):
                    self.assertEqual(h.ask("PATCH", QUEUE, {"data": {"priorityQueue": text}}).status, 200)
                    a = h.ask("POST", "/v1/functions/processRequest/executions", call)
                    self.assertEqual((a.status, a.json["responseStatusCode"]), (201, 200), a)
                    queue = json.loads(h.ask("GET", QUEUE).json["priorityQueue"])
                    self.assertEqual(queue[-1]["videoId"], "v", "repaired by the next write")
            full = json.dumps([{"videoId": "x" * 902}] * 109, separators=(",", ":"))
            self.assertEqual(h.ask("PATCH", QUEUE, {"data": {"priorityQueue": full}}).status, 200)
            a = h.ask("POST", "/v1/functions/processRequest/executions", call)
            self.assertEqual((a.status, a.json["responseStatusCode"]), (201, 500), "a full queue takes no more")
            total = h.ask("GET", REQUESTS).json["total"]
            for bad in (b'{"body":"' + b"[" * 100000 + b'"}', b'{"body":7}', b'{"body":{}}',
                        json.dumps({"body": '{"song":' * 5000}).encode(),
                        json.dumps({"body": json.dumps({"venueId": VENUE, "song": [], "paymentId": "p",
                                                        "requesterId": "r"})}).encode(),
                        json.dumps({"body": json.dumps({"venueId": VENUE, "song": dict(song, duration=-1e308),
                                                        "paymentId": "p" * 256,
                                                        "requesterId": "r"})}).encode()):
                a = h.ask("POST", "/v1/functions/processRequest/executions", bad)
                self.assertTrue(a.status == 400 or a.json["responseStatusCode"] == 400, a)
            self.assertEqual(h.ask("GET", REQUESTS).json["total"], total)
            self.assertEqual(h.ask("PATCH", QUEUE, {"data": {"priorityQueue": "[]"}}).status, 200)

    def test_bad_credentials(self):
        evil = ["x", "' OR 1=1 --", "a" * 5000, "\u00ff", "a.b.c", "..", "e30.e30.e30", "null", "{}", "[]", '{"a":1}',
                "{" * 5000, '{"a_session_house":1}', '{"a_session_house":"x"}', "a_session_house=x; " * 100,
                "standard_" + "0" * 96]
        for header in ("X-Appwrite-Session", "X-Appwrite-JWT", "X-Appwrite-Key", "X-Fallback-Cookies", "Cookie"):
            for text in evil:
                with self.subTest(header, text=text[:40]), self.hub.http(key=False) as h:
                    a = h.ask("PATCH", QUEUE, {"data": {"mainQueue": '["stolen"]'}}, {header: text})
                    self.assertEqual(a.status, 401, a)
        for email, password in (("x", "y"), ("' OR 1=1 --", "x"), ("a" * 5000 + "@b.c", "x"), (1, 2), ([], {}),
                                (None, None),
                                ("staff@house.test", "x" * 5000)):
            a = self.hub.ask("POST", "/v1/account/sessions/email", {"email": email, "password": password})
            self.assertIn(a.status, (400, 401), a)
        self.assertNotIn("stolen", self.hub.ask("GET", QUEUE).json["mainQueue"])

    def test_guessing_passwords_is_slowed_down(self):
        with Hub().provision("staff") as hub:
            hub.start()
            wrong = [hub.ask("POST", "/v1/account/sessions/email",
                             {"email": "staff@house.test", "password": f"guess-{i:04}"}, key=False)
                     for i in range(12)]
            self.assertEqual([a.status for a in wrong], [401] * 10 + [429] * 2)
            self.assertEqual(wrong[-1].json["type"], "general_rate_limit_exceeded")


if __name__ == "__main__":
    main()
