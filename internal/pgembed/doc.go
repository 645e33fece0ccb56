// Package pgembed runs Manito's private PostgreSQL cluster: it finds the server's
// programs on the machine, makes a cluster, starts it, shares it between
// processes, repairs what can be repaired and moves it to a newer major version.
// It never downloads anything and never runs the server as root.
//
// # Nouns
//
//   - Root is Manito's home folder (MANITO_HOME). The cluster is in Root/db.
//   - The base is the folder Root/db itself, or the folder that the symbolic link
//     Root/db points to. It holds one data folder per major version (15, 18), the
//     link "current" to the one in use, run (the socket's folder), password,
//     postgres.log and the lock files.
//   - The server's user is who the server runs as: ourselves, or, when we are root,
//     the owner of Root, else "postgres", else "nobody".
//
// # Several processes, one cluster
//
// Three kinds of locks (flock), all released by the kernel however a process dies:
//
//   - use.lock is held shared by every process that has the cluster open. Who gets
//     it exclusively is alone and may stop the server.
//   - start.lock is held exclusively while somebody makes, starts or stops a server.
//   - NN.lock, one per data folder, is held by the server itself: its first process
//     inherits the locked descriptor, and so does every process it forks. The lock
//     is free exactly when no process of that server is left, whatever
//     postmaster.pid says, whichever process has its number now, and also across
//     containers that share the folder. A start waits for it, so no two servers and
//     no orphaned backend ever meet in one data folder.
//
// A killed client therefore leaves a running server, which the next one adopts; a
// killed server is started again, and its recovery runs, at the next Open or Ensure.
//
// # Who stops the server
//
// With Options.Linger zero the last process to Close stops it, and the next one starts
// it again: 100 ms of processor time, where joining a running server takes 2 ms of ours
// and 5 ms of its (BenchmarkStartStop, BenchmarkJoin). That is most of what a command
// line may take to answer, therefore commands set Linger (minutes): the server stays
// for that long after its last user has left, and a keeper process (Options.Keeper, the
// program itself calling Keep) then stops it. The keeper also stops a server whose
// clients were all killed. Stop does it at once.
//
// As PID 1 in a container, a process that keeps the cluster open should also run
// Reap: servers that other processes started become its children when those end.
//
// # In tests of other packages
//
// Test processes may share one cluster and make a database each: Open with Root
// os.TempDir()/manito-test-<uid> (short, since it holds a socket; and not below a
// home folder that the server's user may not enter), Linger zero, then
// EnsureDatabase. go test runs one process per package, several at a time: the
// first starts the server, the last stops it, all share it in between.
//
// # Who may import it
//
// postgres, migrate, doctor, backup and cli. It imports pgx, for the one query that
// tells whether a server is the right one, and for Upgrade.
package pgembed
