{{ call_statistics('day') }}
