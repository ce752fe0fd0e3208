"""The cases C01 to C70 of the store format, one test each: what becomes of every odd thing the files hold."""
