package main

func render(*report) []byte { return nil }
