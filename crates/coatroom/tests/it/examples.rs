//! Each example runs to its end, and what it asserts holds.

/// Includes an example and runs it as a test.
macro_rules! example {
    ($($name:ident: $file:literal $(.$await:ident)?),* $(,)?) => {
        $(#[allow(dead_code)] // `main`, and what only it calls
        #[path = $file]
        mod $name;)*

        mod run {
            $(#[tokio::test]
            async fn $name() {
                super::$name::run()$(.$await)?.unwrap();
            })*
        }
    };
}

example! {
    background_job: "../../examples/background_job.rs",
    checkout: "../../examples/checkout.rs",
    counter: "../../examples/counter.rs" .await,
    login: "../../examples/login.rs" .await,
    slots_with_merge: "../../examples/slots_with_merge.rs",
    testing_an_application: "../../examples/testing_an_application.rs" .await,
}
