{{ call_statistics('hour') }}
