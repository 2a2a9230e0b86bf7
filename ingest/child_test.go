package ingest

const childEnv = "ALIMEDIA_INGEST_TEST_CHILD"

func child(string) int { return 0 }
