// One customer's parcel, from order to door: drives a run with the plain Temporal SDK.
//
//	parcel <temporal-address> <journey> <customer> <key>
package main

import (
	"context"
	"encoding/json"
	"log"
	"net/url"
	"os"
	"strings"
	"time"

	"go.temporal.io/sdk/client"
)

type object = map[string]any

// escaped keeps only RFC 3986's unreserved characters, so that a "/" in a part cannot split it.
func escaped(part string) string {
	return strings.ReplaceAll(url.QueryEscape(part), "+", "%20")
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func main() {
	if len(os.Args) != 5 {
		log.Fatal("usage: parcel <temporal-address> <journey> <customer> <key>")
	}
	address, journey, customer, key := os.Args[1], os.Args[2], os.Args[3], os.Args[4]
	workflowID := "journey/" + escaped(journey) + "/" + escaped(customer) + "/" + escaped(key)

	touchpoint := func(messageID, event string) object {
		return object{
			"message_id": messageID,
			"event":      event,
			"timestamp":  time.Now().Format(time.RFC3339Nano),
			"properties": object{"parcel": key},
			"context":    object{},
		}
	}

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	temporal, err := client.DialContext(ctx, client.Options{HostPort: address})
	must(err)
	defer temporal.Close()

	// Enters the journey and tells the run what happened, in one call; no worker need be up for it.
	_, err = temporal.SignalWithStartWorkflow(ctx, workflowID,
		"touchpoint", touchpoint("go-1", "Parcel Ordered"),
		client.StartWorkflowOptions{TaskQueue: "journeys"},
		"customer_journey", object{"journey": journey, "customer": customer, "key": key})
	must(err)

	// Sent twice, as after a lost answer: the message id makes it count once.
	packed := touchpoint("go-2", "Parcel Packed")
	must(temporal.SignalWorkflow(ctx, workflowID, "", "touchpoint", packed))
	must(temporal.SignalWorkflow(ctx, workflowID, "", "touchpoint", packed))

	// Several at once.
	must(temporal.SignalWorkflow(ctx, workflowID, "", "touchpoints", []object{
		touchpoint("go-3", "Parcel Seen"),
		touchpoint("go-4", "Parcel Seen"),
	}))

	var status, update, result object
	answer, err := temporal.QueryWorkflow(ctx, workflowID, "", "status")
	must(err)
	must(answer.Get(&status))

	// An update waits until the run has acted, and answers what it did.
	told, err := temporal.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID:   workflowID,
		UpdateName:   "touchpoint_now",
		Args:         []any{touchpoint("go-5", "Parcel Delivered")},
		WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	must(err)
	must(told.Get(ctx, &update))

	must(temporal.GetWorkflow(ctx, workflowID, "").Get(ctx, &result))

	must(json.NewEncoder(os.Stdout).Encode(object{"status": status, "update": update, "result": result}))
}
