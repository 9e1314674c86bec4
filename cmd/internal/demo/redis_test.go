package demo

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// What has a time to live dies by itself, in scripts too.
func TestRedisForgets(t *testing.T) {
	t.Parallel()
	server, err := startRedis()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	client := redis.NewClient(&redis.Options{Addr: server.Addr()})
	defer client.Close()
	if err := client.Set(t.Context(), "k", "v", 60*time.Millisecond).Err(); err != nil {
		t.Fatal(err)
	}
	if err := client.Eval(t.Context(), `return redis.call("SET", KEYS[1], "v", "PX", 60)`, []string{"s"}).Err(); err != nil {
		t.Fatal(err)
	}
	if n := client.Exists(t.Context(), "k", "s").Val(); n != 2 {
		t.Fatalf("%d of 2 keys are there", n)
	}
	deadline := time.Now().Add(5 * time.Second)
	for client.Exists(t.Context(), "k", "s").Val() > 0 {
		if time.Now().After(deadline) {
			t.Fatal("the keys are still there")
		}
	}
}
