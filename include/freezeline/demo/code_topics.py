"""Questions to the code helper."""

from include.freezeline.demo.topics import Issue

LANGUAGES = ("Python", "TypeScript", "Go", "Rust", "Java", "Kotlin", "C#", "Ruby")

CODE_ISSUES = (
    Issue(
        "retries in {subject}",
        (
            "How do I add retries with backoff to an HTTP call in {subject}?",
            "My {subject} client gives up on the first 503. How should it retry?",
        ),
        (
            "wrap the call in `fetch_with_retry` and catch only transient errors",
            "double the delay after each attempt and add some jitter",
            "stop after {a} attempts and raise the last error",
            "respect the `Retry-After` header when the server sends one",
            "make the request idempotent before repeating it",
        ),
    ),
    Issue(
        "parsing dates in {subject}",
        (
            "What is the safest way to parse ISO dates in {subject}?",
            "Dates shift by one day in my {subject} service, why?",
        ),
        (
            "parse the text with the standard ISO parser, never by slicing",
            "keep every instant in UTC inside the service",
            "convert to the local zone only in the view layer",
            "reject a value that has no offset",
            "add a test for the night when clocks change",
        ),
    ),
    Issue(
        "reading large files in {subject}",
        (
            "How can I read a {a} GB log file in {subject} without running out of memory?",
            "My {subject} job is killed while it reads a big file.",
        ),
        (
            "read the file line by line through a buffered reader",
            "process blocks of {b} thousand lines at a time",
            "write results as you go instead of collecting them",
            "measure the peak with `profile_memory` before tuning",
            "compress the output stream to save disk space",
        ),
    ),
    Issue(
        "deadlocks in {subject}",
        (
            "Two workers in my {subject} program wait for each other forever.",
            "How do I find a deadlock in {subject}?",
        ),
        (
            "always take the locks in the same order",
            "hold a lock only around the shared state, not around I/O",
            "use `try_lock` with a timeout of {a} seconds",
            "print a stack dump of all workers when it hangs",
            "replace the two locks by one queue where possible",
        ),
    ),
    Issue(
        "testing HTTP code in {subject}",
        (
            "How should I unit test a class that calls an API in {subject}?",
            "My {subject} tests hit the network, how do I avoid that?",
        ),
        (
            "pass the client into the constructor so a test can replace it",
            "return canned responses from a small fake `ApiClient`",
            "assert the state after the call, not the calls themselves",
            "cover the timeout and the malformed body as well",
            "block sockets in the test run to catch leaks",
        ),
    ),
    Issue(
        "pagination in {subject}",
        (
            "Please review how I page through a REST API in {subject}.",
            "My {subject} loop misses rows when it pages through results.",
        ),
        (
            "follow the `next` cursor instead of counting offsets",
            "yield each item from a generator named `iter_items`",
            "stop when the cursor is absent, not when a page is short",
            "limit the page size to {b} rows",
            "sort by a unique key so that rows never move between pages",
        ),
    ),
    Issue(
        "race conditions in {subject}",
        (
            "A counter in my {subject} service is sometimes too low.",
            "How do I make this cache in {subject} safe for several threads?",
        ),
        (
            "use an atomic increment for the counter",
            "guard `load_value` so that only one caller computes it",
            "copy the list before iterating over it",
            "run the test {b} times under the race detector",
            "prefer immutable values between the workers",
        ),
    ),
    Issue(
        "memory leaks in {subject}",
        (
            "Memory of my {subject} service grows by {a} MB an hour.",
            "What could leak memory in a long running {subject} process?",
        ),
        (
            "take two heap snapshots and compare them",
            "put a bound of {b} entries on the cache",
            "remove listeners in `close` when a session ends",
            "look for timers that keep a reference to the handler",
            "restart the worker after {a} thousand jobs as a stopgap",
        ),
    ),
)
