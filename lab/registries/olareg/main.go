// The registry of the olareg project, in memory: it lists referrers, as the distribution
// specification 1.1 wants it; the registry of the distribution project does not.
package main

import (
	"log"
	"net/http"
	"os"
	"time"

	"github.com/olareg/olareg"
	"github.com/olareg/olareg/config"
)

func main() {
	storage := config.ConfigStorage{StoreType: config.StoreMem}
	server := &http.Server{
		Addr:              os.Args[1],
		Handler:           olareg.New(config.Config{Storage: storage}),
		ReadHeaderTimeout: 5 * time.Second,
	}
	log.Fatal(server.ListenAndServe())
}
