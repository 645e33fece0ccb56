package migrate

const childEnv = "MANITO_MIGRATE_CHILD"

func child(string) int { return 1 }
