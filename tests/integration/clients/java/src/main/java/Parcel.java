import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.temporal.client.WorkflowClient;
import io.temporal.client.WorkflowOptions;
import io.temporal.serviceclient.WorkflowServiceStubs;
import io.temporal.serviceclient.WorkflowServiceStubsOptions;
import java.net.URLEncoder;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/**
 * One customer's parcel, from order to door: drives a run with the plain Temporal SDK.
 *
 * <pre>java -jar target/parcel.jar &lt;temporal-address&gt; &lt;journey&gt; &lt;customer&gt; &lt;key&gt;</pre>
 */
public class Parcel {
  public static void main(String[] args) throws Exception {
    if (args.length != 4) {
      System.err.println("usage: parcel <temporal-address> <journey> <customer> <key>");
      System.exit(2);
    }
    String address = args[0], journey = args[1], customer = args[2], key = args[3];
    String workflowId =
        String.join("/", "journey", escaped(journey), escaped(customer), escaped(key));

    var service =
        WorkflowServiceStubs.newServiceStubs(
            WorkflowServiceStubsOptions.newBuilder().setTarget(address).build());
    var client = WorkflowClient.newInstance(service);
    var entry =
        client.newUntypedWorkflowStub(
            "customer_journey",
            WorkflowOptions.newBuilder().setWorkflowId(workflowId).setTaskQueue("journeys").build());

    // Enters the journey and tells the run what happened, in one call; no worker need be up for it.
    entry.signalWithStart(
        "touchpoint",
        new Object[] {touchpoint("java-1", "Parcel Ordered", key)},
        new Object[] {Map.of("journey", journey, "customer", customer, "key", key)});
    var run = client.newUntypedWorkflowStub(workflowId);

    // Sent twice, as after a lost answer: the message id makes it count once.
    var packed = touchpoint("java-2", "Parcel Packed", key);
    run.signal("touchpoint", packed);
    run.signal("touchpoint", packed);

    // Several at once.
    run.signal(
        "touchpoints",
        List.of(
            touchpoint("java-3", "Parcel Seen", key), touchpoint("java-4", "Parcel Seen", key)));

    var status = run.query("status", Map.class);

    // An update waits until the run has acted, and answers what it did.
    var update =
        run.update("touchpoint_now", Map.class, touchpoint("java-5", "Parcel Delivered", key));

    var result = run.getResult(Map.class);

    System.out.println(
        new ObjectMapper()
            .writeValueAsString(Map.of("status", status, "update", update, "result", result)));
    service.shutdown();
  }

  static Map<String, Object> touchpoint(String messageId, String event, String key) {
    return Map.of(
        "message_id", messageId,
        "event", event,
        "timestamp", Instant.now().toString(),
        "properties", Map.of("parcel", key),
        "context", Map.of());
  }

  /** Keeps only RFC 3986's unreserved characters, so that a "/" in a part cannot split it. */
  static String escaped(String part) {
    return URLEncoder.encode(part, UTF_8)
        .replace("+", "%20")
        .replace("*", "%2A")
        .replace("%7E", "~");
  }
}
