"""moto, one request at a time: the service itself takes a request whole or not at all, moto's threads do not."""

import threading

from moto import server

serve = server.run_simple
turn = threading.Lock()


def one_at_a_time(host, port, app, **options):
    def whole(environ, start_response):
        with turn:
            return list(app(environ, start_response))

    serve(host, port, whole, **options)


server.run_simple = one_at_a_time
server.main()
