//! What a start costs the engine: it is asked once for each thing, and nothing that takes it long is in the way.

use orco_runtime_docker::Docker;

use crate::{
    proxy::Proxy,
    real::{Lab, engine},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_start_asks_for_nothing_twice() {
    if !engine() {
        return;
    }
    let proxy = Proxy::new();
    let lab = Lab::on(Docker::builder().host(proxy.host()).build());
    let own = ["POST containers/create", "POST containers/start", "GET containers/json"];
    // The first start of a stack also finds the engine, looks for what earlier programs left, and makes the network.
    for stack in [&["GET version", "GET containers/json", "GET networks", "POST networks/create"][..], &[]] {
        lab.start("exec sleep 1000").await;
        assert_eq!(proxy.asked(), [stack, &own].concat());
    }
    lab.end().await;
}
